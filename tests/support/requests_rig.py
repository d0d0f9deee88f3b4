"""What drives the requests service in tests: calls, moves, events that arrive, timers that fall due."""

import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx

from lianhu_kit.inbound import Record
from lianhu_kit.outbox import OutgoingEvent
from lianhu_kit.worker import Worker
from requests_service.settings import Settings
from support import bearer, village
from support.contracts import check_outgoing, data_faults

LIMITS = {
    "contact": {"seconds": 3600},
    "finish": {"seconds": 86_400},
    "confirm": {"seconds": 7200},
}
PLAIN = {"kind": "convenience", "limits": LIMITS}
SERVICES: dict[str, dict[str, Any]] = {
    "tap": PLAIN,
    "errand": {
        "kind": "errand",
        "limits": LIMITS,
        "route_default": "staff",
        "questions": [
            {
                "code": "matter",
                "label": "办哪一项",
                "type": "choice",
                "required": True,
                "choices": [{"code": "join", "label": "参保"}],
            }
        ],
    },
    "lesson": {"kind": "class", "limits": LIMITS, "guardian_consent": True, "places_default": 2},
}


@dataclass
class Place:
    """A village of one test, with grids and people of its own."""

    code: str
    clerk: UUID = field(default_factory=uuid4)
    worker: UUID = field(default_factory=uuid4)

    @property
    def grid(self) -> str:
        return self.code + "001"


@dataclass
class Rig:
    """The service and what drives it."""

    client: httpx.AsyncClient
    worker: Worker
    rows: asyncpg.Connection
    settings: Settings
    urls: Any
    sequences: dict[str, int] = field(default_factory=dict)

    async def village(self) -> Place:
        """A village with a catalogue, two grids, a clerk and a member of staff."""
        place = Place(village())
        admin = bearer("admin", place.code)
        units = [{"code": place.code, "name": "示例村", "settings": {"always_working": True}}]
        units += [{"code": place.code + grid, "name": f"网格{grid}"} for grid in ("001", "002")]
        await self.good("PUT", "/v1/org-units", admin, {"items": units})
        services = [{"tenant": place.code, "code": code, "name": code, **given} for code, given in SERVICES.items()]
        await self.good("PUT", "/v1/services", admin, {"items": services})
        people = [
            {
                "id": str(place.clerk),
                "tenant": place.code,
                "name": "示例村干部",
                "roles": [{"role": "clerk", "at": place.code}],
            },
            {
                "id": str(place.worker),
                "tenant": place.code,
                "name": "示例网格员",
                "roles": [{"role": "grid_worker", "at": place.grid}],
            },
        ]
        await self.good("POST", "/v1/people/batch", admin, {"items": people})
        return place

    async def call(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None
    ) -> httpx.Response:
        """A call with its answer, whatever it is."""
        return await self.client.request(method, path, headers=headers or {}, json=body)

    async def good(self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None) -> Any:
        """The answer of a call that must succeed."""
        answer = await self.call(method, path, headers, body)
        assert answer.is_success, answer.text
        return answer.json()

    async def refused(
        self, status: int, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None
    ) -> Any:
        """The problem of a call that must be refused."""
        answer = await self.call(method, path, headers, body)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == status
        assert problem["detail"]
        return problem

    def clerk(self, place: Place) -> dict[str, str]:
        return bearer("clerk", place.code, place.clerk)

    async def order(self, place: Place, headers: dict[str, str] | None = None, **more: Any) -> Any:
        """Places an order; anonymous where no headers are given."""
        body = {"tenant": place.code, "service": "tap", "text": "厨房水龙头漏水", **more}
        if "contact" not in more and "reach" not in more and headers is None:
            body["contact"] = {"name": "测试甲", "phone": "13900000001"}
        return await self.good("POST", "/v1/requests", headers, body)

    async def move(
        self, place: Place, request: Any, move: str, body: Any | None = None, headers: dict[str, str] | None = None
    ) -> Any:
        """A move of the village's clerk, unless other headers are given."""
        return await self.good("POST", f"/v1/requests/{request['id']}/{move}", headers or self.clerk(place), body or {})

    async def get(self, place: Place, request: Any) -> Any:
        return await self.good("GET", f"/v1/requests/{request['id']}", self.clerk(place))

    async def accepted(self, place: Place, **more: Any) -> Any:
        """An order that the clerk accepted for volunteers, unless `accept` says otherwise."""
        accept = more.pop("accept", {})
        request = await self.order(place, **more)
        await self.move(place, request, "accept", {"summary": "水龙头漏水", **accept})
        return request

    async def rows_as(self, role: str, statement: str, *values: Any) -> list[asyncpg.Record]:
        """What a role of the service (api, owner) reads or changes, without a scope."""
        connection = await asyncpg.connect(getattr(self.urls, role))
        try:
            return list(await connection.fetch(statement, *values))
        finally:
            await connection.close()

    async def events(self, key: Any) -> list[OutgoingEvent]:
        """What was recorded under a key, each event held against its contract."""
        rows = await self.rows.fetch("SELECT * FROM outbox WHERE aggregateid = $1 ORDER BY position", str(key))
        events = [
            OutgoingEvent(
                row["aggregatetype"], row["aggregateid"], row["sequence"], row["type"], row["subject"], row["tenant"],
                json.loads(row["payload"]), row["id"], row["time"],
            )
            for row in rows
        ]  # fmt: skip
        for event in events:
            check_outgoing(event)
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        return events

    async def data(self, key: Any) -> list[dict[str, Any]]:
        """The data of what was recorded under a key."""
        return [event.data or {} for event in await self.events(key)]

    async def told(self, request: Any) -> list[str]:
        """The short names of a request's events."""
        return [
            event.type.removeprefix("lianhu.request.").removesuffix(".v1") for event in await self.events(request["id"])
        ]

    async def last(self, request: Any, name: str) -> dict[str, Any]:
        """The data of a request's last event of a type."""
        data = [e.data for e in await self.events(request["id"]) if e.type == f"lianhu.request.{name}.v1"]
        assert data, f"no {name}"
        return data[-1] or {}

    async def dispatch(self, place: Place, request: Any, event: str, state: str, /, **more: Any) -> None:
        """An event of the dispatch service arrives."""
        data = {
            "request_id": request["id"], "assignment_id": str(UUID(int=1)), "round": 1, "state": state, "places": 1,
            "taken": 0, "grid": None, "by": more.get("person"), **more,
        }  # fmt: skip
        await self._arrive("lianhu.dispatch.v1", request["id"], f"lianhu.dispatch.{event}.v1", place, data)

    async def claimed(self, place: Place, request: Any, person: UUID, **more: Any) -> None:
        """Somebody claimed it."""
        given = {"person": str(person), "name": "义*", "via": "offer", "taken": 1, **more}
        await self.dispatch(place, request, "claimed", given.pop("state", "claimed"), **given)

    async def done(self, place: Place, request: Any, person: UUID, **more: Any) -> None:
        """Somebody completed it."""
        given = {
            "person": str(person), "last": True, "served_person_times": 1, "minutes": 30, "evidence": "photo",
            "checked_in": True, "taken": 1, **more,
        }  # fmt: skip
        await self.dispatch(place, request, "completed", given.pop("state", "completed"), **given)

    async def delivery(
        self, place: Place, request: Any, outcome: str, *, channel: str, purpose: str = "confirm", **more: Any
    ) -> None:
        """Somebody was told something, or not reached."""
        delivery = str(uuid4())
        data = {
            "delivery_id": delivery, "request_id": request["id"], "purpose": purpose, "template": "confirm",
            "channel": channel, "audience": "resident", "person": None, "attempt": 1,
            **({"by": None} if outcome == "sent" else {"reason": "no-answer"}), **more,
        }  # fmt: skip
        await self._arrive("lianhu.notifications.v1", delivery, f"lianhu.notification.{outcome}.v1", place, data)

    async def _arrive(self, topic: str, key: str, type: str, place: Place, data: dict[str, Any]) -> None:
        assert data_faults(type, data) == []
        sequence = self.sequences[topic + key] = self.sequences.get(topic + key, 0) + 1
        headers = {
            "ce_specversion": "1.0", "ce_id": str(uuid4()), "ce_source": f"/lianhu/{topic.split('.')[1]}",
            "ce_type": type, "ce_subject": key, "ce_time": datetime.now(UTC).isoformat(),
            "ce_tenant": place.code, "ce_sequence": str(sequence), "content-type": "application/json",
        }  # fmt: skip
        encoded = [(name, value.encode()) for name, value in headers.items()]
        record = Record(topic, 0, secrets.randbelow(2**40), key.encode(), json.dumps(data).encode(), encoded)
        await self.worker.inbound.receive([record])
        parked = await self.rows.fetch("SELECT reason FROM parked WHERE key = $1", key)
        assert not parked, parked

    async def fire(self, request: Any, kind: str) -> None:
        """Lets a timer of a request fall due now, and fires it."""
        past = datetime.now(UTC) - timedelta(seconds=1)
        done = await self.rows.execute(
            "UPDATE timers SET due_at = $1 WHERE aggregate = $2 AND kind = $3", past, UUID(request["id"]), kind
        )
        assert done == "UPDATE 1", f"no timer {kind}"
        await self.worker.timers.step()

    async def timers(self, request: Any) -> set[str]:
        """The kinds of timers that a request has."""
        rows = await self.rows.fetch("SELECT kind FROM timers WHERE aggregate = $1", UUID(request["id"]))
        return {row["kind"] for row in rows}
