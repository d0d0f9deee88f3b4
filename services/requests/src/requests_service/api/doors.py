"""What the routes of this service share: the village's time zone, rate limits, keys."""

import hashlib
import math
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Request

from lianhu_kit.database import Database
from lianhu_kit.problems import TooMany
from requests_service.queries import rates

FORGET_EVERY = 500


async def _zone(request: Request) -> ZoneInfo:  # async, as a thread would cost more than it does
    zone: ZoneInfo = request.app.state.zone
    return zone


Zone = Annotated[ZoneInfo, Depends(_zone)]


class Rates:
    """How often an address may do what needs no token; counted in the database, for all replicas together."""

    def __init__(
        self,
        database: Database,
        key: bytes,
        *,
        orders_per_minute: int,
        tracks_per_minute: int,
        sign_ins_per_minute: int,
    ) -> None:
        self._database = database
        self._key = key[:64]
        self._limits = {"orders": orders_per_minute, "tracks": tracks_per_minute, "sign-ins": sign_ins_per_minute}
        self._hits = 0

    async def hit(self, what: str, address: str) -> None:
        """Counts one; TooMany says when there is room again. The address itself is not kept: a keyed hash is."""
        caller = hashlib.blake2b(network_of(address).encode(), key=self._key, digest_size=16).digest()
        if self._hits % FORGET_EVERY == 0:
            await rates.forget(self._database.engine)
        self._hits += 1
        wait = await rates.hit(self._database.engine, what, caller, self._limits[what])
        if wait is not None:
            raise TooMany("Too often from this address. Wait a moment.", max(1, math.ceil(wait)))


def network_of(address: str) -> str:
    """Whom an address belongs to: an IPv4 address itself; of IPv6 the /64, since one household has all of it."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or IPv6Network((found.packed[:8] + bytes(8), 64)))


def address_of(request: Request) -> str:
    """Where a call comes from."""
    return request.client.host if request.client else "unknown"
