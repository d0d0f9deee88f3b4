"""Processes of dispatch that come and go: who has which partitions, and who answers how many calls."""

import asyncio
from collections import Counter
from typing import Any

import httpx
from confluent_kafka.admin import AdminClient

from support.conditions import eventually
from support.replicas import Replica, RoundRobin
from support.system import System

SERVICE = "dispatch"
_PREFIX = "/api/dispatch"


class Crew:
    """The system's own API and worker of dispatch, and as many more of each as are asked for."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._more: dict[str, list[Replica]] = {"api": [], "worker": []}
        self.robin = RoundRobin([system.topology.api_port(SERVICE)])

    async def size(self, number: int) -> None:
        """So many of each, ready; of those that are too many one is killed, the others are asked to end."""
        for role, more in self._more.items():
            over, self._more[role] = more[number - 1 :], more[: number - 1]
            fresh = [Replica(self._system, SERVICE, role) for _ in range(number - 1 - len(more))]
            self._more[role] += fresh
            await asyncio.gather(*(replica.start() for replica in fresh))
            if over:
                over[0].kill()
                await asyncio.gather(*(replica.end() for replica in over[1:]))
        self.robin.ports = [self._system.topology.api_port(SERVICE), *(each.port for each in self._more["api"])]
        self.robin.ready = [port for port in self.robin.ready if port in self.robin.ports]
        await eventually(self._all_ready, timeout=60)

    async def _all_ready(self) -> bool:
        return set(self.robin.ready) == set(self.robin.ports)

    async def partitions(self, number: int) -> list[int]:
        """How many partitions each of so many members of the group has, once they are shared out."""

        async def shared() -> list[int] | None:
            found = await asyncio.to_thread(_assigned, self._system.bootstrap)
            return found if len(found) == number and all(found) else None

        found = await eventually(shared, timeout=90, pause=0.5)
        assert found is not None
        return found

    def calls(self) -> Counter[int]:
        """Calls by the API's port until now; the count begins anew."""
        told, self.robin.given = self.robin.given, Counter()
        return told

    def end(self) -> None:
        """Kills all but the system's own."""
        for more in self._more.values():
            for replica in more:
                replica.kill()


class Spread(httpx.AsyncHTTPTransport):
    """Sends each call to dispatch to the next ready API, all others where they go."""

    def __init__(self, robin: RoundRobin) -> None:
        super().__init__(limits=httpx.Limits(max_connections=100))
        self._robin = robin
        self._turn = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One call."""
        raw = request.url.raw_path.decode()
        if raw.startswith(_PREFIX + "/"):
            self._turn += 1
            port = self._robin.ready[self._turn % len(self._robin.ready)]
            self._robin.given[port] += 1
            request.url = request.url.copy_with(port=port, raw_path=raw.removeprefix(_PREFIX).encode())
        return await super().handle_async_request(request)


def _assigned(bootstrap: str) -> list[int]:
    admin: Any = AdminClient({"bootstrap.servers": bootstrap})
    group = admin.describe_consumer_groups([SERVICE], request_timeout=10)[SERVICE].result()
    if group.state.name != "STABLE":
        return []
    return sorted(len(member.assignment.topic_partitions) for member in group.members)
