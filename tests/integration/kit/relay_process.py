"""A relay as a process of its own that stands still between send and move, so that a test can kill it just there."""

import asyncio
import sys
import time
from typing import Any

from lianhu_kit import relay
from lianhu_kit.database import Database
from lianhu_kit.relay import Relay


class Halting(Relay):
    """Says when everything is acknowledged, and never moves it."""

    async def _move(self, positions: list[int]) -> None:
        print(f"sent {len(positions)}", flush=True)
        time.sleep(600)  # noqa: ASYNC251 - nothing of this process goes on


async def main(url: str, bootstrap: str, jwks: str, lease: float, send: float) -> None:
    """Runs it until it is killed."""
    from integration.kit.station import Settings

    constants: Any = relay
    constants.LEASE_SECONDS, constants.SEND_SECONDS = lease, send
    settings = Settings(database_url=url, kafka_bootstrap=bootstrap, auth_jwks=jwks)
    await Halting(settings, Database(url, application_name="halting")).run(asyncio.Event())


if __name__ == "__main__":
    _, address, broker, keys, lease_seconds, send_seconds = sys.argv
    asyncio.run(main(address, broker, keys, float(lease_seconds), float(send_seconds)))
