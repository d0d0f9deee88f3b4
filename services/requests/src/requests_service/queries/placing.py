"""What an order stands on, looked up in one round trip."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from requests_service.domain.inheritance import inherited_settings

# One statement, since every order waits for it: the village's chain of units, the nearest entry of the service, the
# household and the door's, and who the phone and the caller belong to.
_PLACE = text(
    """
    SELECT
        (SELECT jsonb_object_agg(code, settings) FROM org_units WHERE code = ANY(CAST(:chain AS text[]))) AS units,
        (SELECT to_jsonb(s) FROM services s WHERE s.code = :service AND s.tenant = ANY(CAST(:chain AS text[]))
         ORDER BY length(s.tenant) DESC LIMIT 1) AS service,
        (SELECT jsonb_object_agg(id, jsonb_build_object('grid', grid, 'address', address)) FROM households
         WHERE id = ANY(CAST(:households AS uuid[])) AND tenant = :tenant) AS households,
        (SELECT id FROM people WHERE phone = CAST(:phone AS text) AND active
         ORDER BY created_at LIMIT 1) AS resident,
        (SELECT jsonb_build_object('name', name, 'phone', phone) FROM people WHERE id = CAST(:caller AS uuid)) AS caller
    """
)


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
    session: AsyncSession,
    *,
    tenant: str,
    chain: Sequence[str],
    service: str,
    households: Sequence[UUID],
    phone: str | None,
    caller: UUID | None,
) -> Place:
    """What is known where an order is placed; `chain` is the village, its grid if given, and all above."""
    values = {
        "tenant": tenant,
        "chain": list(chain),
        "service": service,
        "households": list(households),
        "phone": phone,
        "caller": caller,
    }
    row = (await session.execute(_PLACE, values)).one()
    return Place(
        units=row.units or {},
        service=row.service,
        households={UUID(key): value for key, value in (row.households or {}).items()},
        resident=row.resident,
        caller=row.caller,
    )
