"""What an order stands on, looked up in one round trip."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from lianhu_kit.hot import HotTransaction
from lianhu_kit.idempotency import RECALLED, Keyed, StoredAnswer
from requests_service.domain.inheritance import inherited_settings

# One statement, since every order waits for it: the database's clock, what is kept under its key, the village's chain
# of units, the nearest entry of the service, the household and the door's, and who the phone and the caller belong to.
_PLACE = f"""
    SELECT
        clock_timestamp() AS clock,
        {RECALLED},
        (SELECT jsonb_object_agg(code, settings) FROM org_units WHERE code = ANY($5::text[]))::text AS units,
        (SELECT to_jsonb(s) FROM services s WHERE s.code = $6 AND s.tenant = ANY($5::text[])
         ORDER BY length(s.tenant) DESC LIMIT 1)::text AS service,
        (SELECT jsonb_object_agg(id, jsonb_build_object('grid', grid, 'address', address)) FROM households
         WHERE id = ANY($7::uuid[]) AND tenant = $4)::text AS households,
        (SELECT id::text FROM people WHERE phone = $8::text AND active ORDER BY created_at LIMIT 1) AS resident,
        (SELECT jsonb_build_object('name', name, 'phone', phone) FROM people WHERE id = $9::uuid)::text AS caller
"""


@dataclass(frozen=True)
class Place:
    """`units` are those of the chain that exist, with their own settings; `service` is the nearest entry."""

    units: dict[str, dict[str, Any]]
    service: dict[str, Any] | None
    households: dict[UUID, dict[str, Any]]
    resident: UUID | None
    caller: dict[str, Any] | None

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that hold at the order's place."""
        return inherited_settings(self.units.items())


async def place_of(
    hot: HotTransaction,
    keyed: Keyed,
    *,
    tenant: str,
    chain: Sequence[str],
    service: str,
    households: Sequence[UUID],
    phone: str | None,
    caller: UUID | None,
) -> Place | StoredAnswer:
    """What is known where an order is placed, or what was answered to its key before.

    `chain` is the village, its grid if given, and all above.
    """
    row = await hot.row(_PLACE, *keyed.place, tenant, chain, service, households, phone, caller)
    if row is None:
        raise RuntimeError("a look-up of constants answers with a row")
    hot.at(row["clock"])
    return keyed.recalled(row) or Place(
        units=_read(row["units"]) or {},
        service=_read(row["service"]),
        households={UUID(key): value for key, value in (_read(row["households"]) or {}).items()},
        resident=UUID(row["resident"]) if row["resident"] else None,
        caller=_read(row["caller"]),
    )


def _read(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)
