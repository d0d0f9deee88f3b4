"""A village of one test: with a grid, a clerk, forty volunteers and a catalogue, made over HTTP as an admin would."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from lianhu_tools.looks.databases import ask
from support.conditions import eventually
from support.places import village
from support.system import System

VOLUNTEERS = 40
SERVICE = "neighbourly-help"
# Wide enough for no two of hundreds of villages to be the same one.
PROVINCE_OF_TESTS = "99"


@dataclass
class Settlement:
    """The village's code, its grid, and the ids of who works there."""

    tenant: str = field(default_factory=lambda: village(PROVINCE_OF_TESTS))
    clerk: str = field(default_factory=lambda: str(uuid4()))
    volunteers: list[str] = field(default_factory=lambda: [str(uuid4()) for _ in range(VOLUNTEERS)])

    @property
    def grid(self) -> str:
        """The one grid of the village."""
        return self.tenant + "001"

    def order(self) -> dict[str, Any]:
        """An order as a neighbour would place it."""
        return {
            "tenant": self.tenant,
            "service": SERVICE,
            "text": "帮忙搬一个旧柜子",
            "contact": {"name": "测试住户", "phone": "19000000009"},
            "grid": self.grid,
        }

    async def settle(self, system: System, client: httpx.AsyncClient) -> None:
        """Makes the village, and waits until dispatch and notifications know its people."""
        admin = system.bearer("admin", PROVINCE_OF_TESTS)
        always = {
            "always_working": True,
            "quiet_hours": [],
            "default_grid": self.grid,
            "wave_seconds": {"linking_household": 1, "grid": 3600, "village": 3600, "leader": 3600},
        }
        units = [
            {"code": self.tenant, "name": "测试村", "settings": always},
            {"code": self.grid, "name": "测试网格"},
        ]
        await self._put(system, client, "org-units", {"items": units}, admin)
        await self._put(system, client, "services/defaults", {"at": self.tenant}, admin)
        people: list[dict[str, Any]] = [
            {
                "id": person,
                "tenant": self.tenant,
                "name": "测试志愿者",
                "roles": [{"role": "volunteer", "at": self.tenant}],
                "volunteer": {"grid": self.grid, "capacity": 100},
            }
            for person in self.volunteers
        ]
        clerk = {
            "id": self.clerk,
            "tenant": self.tenant,
            "name": "测试村干部",
            "roles": [{"role": "clerk", "at": self.tenant}],
        }
        answer = await client.post(
            f"{system.url('requests')}/v1/people/batch", json={"items": [*people, clerk]}, headers=admin
        )
        assert answer.status_code == 200, answer.text

        async def known() -> bool:
            listed = await client.get(
                f"{system.url('dispatch')}/v1/volunteers",
                params={"tenant": self.tenant, "limit": 200},
                headers=system.bearer("clerk", self.tenant),
            )
            told = "SELECT count(*) FROM person_roles WHERE person = $1"
            return {row["id"] for row in listed.json()["items"]} >= set(self.volunteers) and bool(
                await ask(system.topology, "notifications", told, self.clerk)
            )

        await eventually(known, timeout=60)

    async def _put(
        self, system: System, client: httpx.AsyncClient, what: str, body: dict[str, Any], headers: dict[str, str]
    ) -> None:
        answer = await client.put(f"{system.url('requests')}/v1/{what}", json=body, headers=headers)
        assert answer.status_code == 200, answer.text

    async def offered(self, system: System, client: httpx.AsyncClient, places: int = 1) -> str:
        """An assignment that is open to all forty volunteers; answers its id."""
        placed = await client.post(f"{system.url('requests')}/v1/requests", json=self.order())
        assert placed.status_code == 201, placed.text
        request = placed.json()["id"]
        accepted = await client.post(
            f"{system.url('requests')}/v1/requests/{request}/accept",
            json={"summary": "搬一个旧柜子", "places": places, "grid": self.grid},
            headers=system.bearer("clerk", self.tenant, self.clerk),
        )
        assert accepted.status_code == 200, accepted.text
        last = self.volunteers[-1]

        async def open_to_all() -> str | None:
            for person in (self.volunteers[0], last):
                shown = await client.get(
                    f"{system.url('dispatch')}/v1/assignments",
                    params={"mine": "offered", "request": request},
                    headers=system.bearer("volunteer", self.tenant, person),
                )
                items = shown.json()["items"]
                if not items:
                    return None
            return str(items[0]["id"])

        return str(await eventually(open_to_all, timeout=60))

    async def requests(self, system: System, client: httpx.AsyncClient) -> set[str]:
        """The ids of all requests of the village, page by page."""
        found: set[str] = set()
        after: str | None = None
        while True:
            params = {"tenant": self.tenant, "limit": "200"} | ({"after": after} if after else {})
            page = await client.get(
                f"{system.url('requests')}/v1/requests", params=params, headers=system.bearer("clerk", self.tenant)
            )
            assert page.status_code == 200, page.text
            found |= {row["id"] for row in page.json()["items"]}
            after = page.json().get("next")
            if after is None:
                return found

    async def inbox(self, system: System, client: httpx.AsyncClient, person: str) -> list[dict[str, Any]]:
        """Everything in somebody's inbox, page by page."""
        rows: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            params = {"limit": "200"} | ({"after": after} if after else {})
            page = await client.get(
                f"{system.url('notifications')}/v1/inbox",
                params=params,
                headers=system.bearer("clerk", self.tenant, person),
            )
            assert page.status_code == 200, page.text
            rows += page.json()["items"]
            after = page.json().get("next")
            if after is None:
                return rows
