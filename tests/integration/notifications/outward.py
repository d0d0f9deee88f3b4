"""A village whose people are told by phone and mail: the service without a broker, a real mail server, who answers."""

import asyncio
import email.policy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import orjson
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr
from sqlalchemy import text

from lianhu_kit.context import caused_by, new_traceparent
from lianhu_kit.database import enter_scope
from lianhu_kit.identifiers import new_id, new_number
from lianhu_kit.inbound import Record
from lianhu_kit.worker import Worker
from notifications_service.app import create_app, work
from notifications_service.domain.audiences import Matter
from notifications_service.domain.choices import Channel
from notifications_service.domain.notices import INBOX, Notice
from notifications_service.handlers.carrying import Carrier
from notifications_service.handlers.contact_points import ContactPoints
from notifications_service.handlers.deliver import deliver
from notifications_service.handlers.mail import Writer
from notifications_service.handlers.sending import Sender
from notifications_service.handlers.voice import Voice
from notifications_service.settings import Settings
from support.people import bearer
from support.places import village

WRITER = Writer("Lianhu <desk@village.example>", "https://lianhu.example")
VOICE = Voice("en", ZoneInfo("Asia/Shanghai"), frozenset(Channel))
TOKEN = SecretStr("a-service")  # pragma: allowlist secret


@dataclass
class Postmaster:
    """A mail server's behaviour, and what it took."""

    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    rcpt: str = "250 OK"
    data: str = "250 OK"
    hangs: str = ""
    begun: int = 0

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Takes the address, or says why not."""
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Takes the message; then answers, or hangs, or goes."""
        self.begun += 1
        if self.data.startswith("250"):
            content = message_from_bytes(bytes(envelope.original_content or b""), policy=email.policy.default)
            assert isinstance(content, EmailMessage)
            self.taken.append((envelope.rcpt_tos[0], content))
        if self.hangs:
            await asyncio.sleep(60)
        return self.data


def files_in(folder: Path) -> list[Path]:
    """What was written into a folder; none where it was never made."""
    return list(folder.iterdir())


class People:
    """What requests knows of people, and how often it was asked."""

    def __init__(self) -> None:
        self.points: dict[UUID, dict[str, Any]] = {}
        self.status = 200
        self.asked = 0
        self.tokens: set[str] = set()

    def contacts(self) -> ContactPoints:
        """Asks these people."""
        return ContactPoints("http://requests.example", TOKEN, httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        self.tokens.add(request.headers["Authorization"])
        if self.status != 200:
            return httpx.Response(self.status)
        found = self.points.get(UUID(request.url.path.split("/")[3]))
        return httpx.Response(200, json=found) if found else httpx.Response(404)


class House:
    """The service without a broker: its calls over ASGI, its worker driven by hand."""

    def __init__(self, urls: Any, shared: dict[str, Any]) -> None:
        self.app = create_app(Settings(database_url=urls.api, **shared))
        settings = Settings(database_url=urls.worker, **shared)
        self.worker = Worker(settings, work(settings))
        self.database = self.worker.database
        transport = httpx.ASGITransport(self.app)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://notifications")

    async def rows(self, sql: str, scope: str, **values: Any) -> list[dict[str, Any]]:
        """Rows as the worker sees them in a village."""
        async with self.database.transaction() as session:
            await enter_scope(session, scope)
            return [dict(row) for row in (await session.execute(text(sql), values)).mappings()]

    async def hear(self, tenant: str, topic: str, type: str, key: str, sequence: int, data: dict[str, Any]) -> None:
        """An event arrives."""
        headers = {
            "ce_specversion": "1.0", "ce_id": str(new_id()), "ce_source": "/lianhu/requests",
            "ce_type": f"lianhu.{type}.v1", "ce_subject": key, "ce_time": datetime.now(UTC).isoformat(),
            "ce_tenant": tenant, "ce_sequence": str(sequence), "content-type": "application/json",
        }  # fmt: skip
        encoded = [(name, value.encode()) for name, value in headers.items()]
        value = orjson.dumps(data)
        await self.worker.inbound.receive([Record(topic, 0, next(_OFFSETS), key.encode(), value, encoded)])
        assert not await self.rows("SELECT reason FROM parked", "")


_OFFSETS = count()


class Town:
    """One village of a test with people who are told things."""

    def __init__(self, house: House) -> None:
        self.house, self.code, self.people = house, village(), People()
        self.order, self.number = new_id(), new_number()

    def person(self, **points: Any) -> UUID:
        """Somebody with these addresses."""
        person = new_id()
        self.people.points[person] = {"phone": None, "mail": None, "locale": None, "active": True} | points
        return person

    async def choose(self, person: UUID, **choices: dict[str, str]) -> None:
        """Their choices by the API."""
        answer = await self.house.http.put(
            "/v1/preferences", headers=bearer("resident", self.code, person),
            json={"locale": "en", "choices": choices},
        )  # fmt: skip
        assert answer.status_code == 200, answer.text

    async def tell(
        self, person: UUID, *, template: str = "confirm-work", purpose: str = "confirm", urgent: bool = False,
        quiet: tuple[str, ...] = (), only_inside: bool = False,
    ) -> None:  # fmt: skip
        """Something is told to a person, as the consumer does."""
        event = str(new_id())
        matter = Matter(self.order, self.number, self.code, "repair", "grid one", urgent=urgent, quiet_hours=quiet)
        notice = Notice(template, purpose, "resident", INBOX, matter, person, f"person:{person}", event, "sent")
        with caused_by(event, new_traceparent()):
            async with self.house.database.transaction() as session:
                await enter_scope(session, self.code)
                await deliver(session, VOICE, [notice], event, {}, only_inside=only_inside)

    async def step(self, channel: Channel, carrier: Carrier) -> bool:
        """One look of the sender."""
        return await Sender(channel, carrier, self.people.contacts()).step(self.house.database)

    async def outward(self, person: UUID) -> list[dict[str, Any]]:
        """What left the house for a person, oldest first."""
        return list(
            await self.house.rows(
                "SELECT * FROM deliveries WHERE person = :person AND channel <> 'inbox' ORDER BY id",
                self.code, person=person,
            )
        )  # fmt: skip

    async def change(self, sql: str, **values: Any) -> None:
        """A change in the database, as time or a fault would bring it."""
        async with self.house.database.transaction() as session:
            await enter_scope(session, self.code)
            await session.execute(text(sql), values)
