"""What leaves the house, against a real mail server and doubles of a gateway: at most once, and its end is said."""

import asyncio
import email.policy
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import orjson
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr
from sqlalchemy import text

from integration.notifications.conftest import migrate_in_thread
from lianhu_kit.context import caused_by, new_traceparent
from lianhu_kit.database import enter_scope
from lianhu_kit.identifiers import new_id, new_number
from lianhu_kit.inbound import Record
from lianhu_kit.worker import Worker
from notifications_service.app import create_app, work
from notifications_service.domain.audiences import Matter
from notifications_service.domain.choices import Channel
from notifications_service.domain.notices import INBOX, Notice
from notifications_service.domain.outward import Carried
from notifications_service.handlers import mail, sending
from notifications_service.handlers.carrying import Carrier, Parcel
from notifications_service.handlers.contact_points import ContactPoints
from notifications_service.handlers.deliver import deliver
from notifications_service.handlers.mail import MailFiles, MailServer, Writer
from notifications_service.handlers.phone import FileProvider, GatewayProvider, PhoneCarrier
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


@pytest.fixture
async def post() -> AsyncIterator[tuple[Postmaster, str]]:
    """A real SMTP server on a free port."""
    master = Postmaster()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(master, hostname="mail.example"), "127.0.0.1", 0)
    try:
        yield master, f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def _files(folder: Path) -> list[Path]:
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


@pytest.fixture(scope="module")
async def house(postgres: Any, jwks_file: Any, tmp_path_factory: Any) -> AsyncIterator[House]:
    """A service of these tests alone."""
    urls = postgres.create("notifications")
    migrate_in_thread(urls.owner)
    made = House(urls, {"auth_jwks": str(jwks_file), "state_directory": tmp_path_factory.mktemp("state")})
    async with made.app.router.lifespan_context(made.app):
        yield made
    await made.http.aclose()
    await made.database.close()


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


@pytest.fixture
async def town(house: House) -> Town:
    """A fresh village; no other test's message is on its way."""
    async with house.database.transaction() as session:
        await enter_scope(session, "")
        await session.execute(text("DELETE FROM sendings"))
    return Town(house)


async def test_mail_is_written_to_be_read_and_goes_once(town: Town, post: tuple[Postmaster, str]) -> None:
    master, server = post
    person = town.person(mail="old.li@village.example")
    await town.choose(person, mail={"questions": "now"})
    await town.tell(person)
    carrier = MailServer(server, WRITER)
    assert await town.step(Channel.MAIL, carrier)
    assert not await town.step(Channel.MAIL, carrier)
    [(to, message)] = master.taken
    assert to == message["To"] == "old.li@village.example"
    assert message["From"] == WRITER.sender
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Subject"] == f"Please confirm: {town.number}"
    for part in ("plain", "html"):
        body = message.get_body((part,))
        assert body is not None
        assert town.number in body.get_content()
        assert "https://lianhu.example/inbox" in body.get_content()
    assert town.people.tokens == {"Bearer a-service"}
    states = {row["channel"]: (row["state"], row["reason"], row["sequence"]) for row in await town.outward(person)}
    assert states["mail"] == ("sent", None, 2)
    assert not await town.house.rows("SELECT 1 FROM sendings WHERE channel = 'mail'", "")
    events = await town.house.rows("SELECT type, payload FROM outbox WHERE tenant = :code", town.code, code=town.code)
    assert {event["type"] for event in events} >= {"lianhu.notification.due.v1", "lianhu.notification.sent.v1"}
    assert all("old.li" not in event["payload"] for event in events)


@pytest.mark.parametrize(
    ("behaviour", "state"),
    [
        ({"rcpt": "550 no such mailbox"}, ("failed", "refused")),
        ({"data": "554 no thanks"}, ("failed", "refused")),
        ({"rcpt": "450 try later"}, ("due", None)),
        ({"data": "451 try later"}, ("due", None)),
        ({"hangs": "after the message"}, ("failed", "unknown")),
    ],
)
async def test_what_a_server_answers_decides(
    town: Town, post: tuple[Postmaster, str], behaviour: dict[str, str], state: tuple[str, str | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(mail, "SECONDS", 1.0)
    master, server = post
    for name, value in behaviour.items():
        setattr(master, name, value)
    person = town.person(mail="li@village.example")
    await town.choose(person, mail={"questions": "now"}, phone={"questions": "off"})
    await town.tell(person)
    assert await town.step(Channel.MAIL, MailServer(server, WRITER))
    [row] = await town.outward(person)
    assert (row["state"], row["reason"]) == state
    # Whatever came of it: nothing is handed over a second time at once.
    assert not await town.step(Channel.MAIL, MailServer(server, WRITER))
    assert master.begun <= 1


async def test_a_server_out_of_reach_is_tried_again_and_given_up_at_last(town: Town, unused_tcp_port: int) -> None:
    carrier = MailServer(f"smtp://127.0.0.1:{unused_tcp_port}", WRITER)
    person = town.person(mail="li@village.example")
    await town.choose(person, mail={"questions": "now"}, phone={"questions": "off"})
    await town.tell(person)
    tries = 0
    while await town.step(Channel.MAIL, carrier):
        tries += 1
        [row] = await town.outward(person)
        if row["state"] != "due":
            break
        assert not await town.step(Channel.MAIL, carrier)  # it waits for a while before the next try
        await town.change("UPDATE sendings SET send_at = now()")
    assert (row["state"], row["reason"], tries) == ("failed", "unreachable", 6)


async def test_while_requests_is_away_it_waits_and_is_no_try(town: Town, tmp_path: Path) -> None:
    person = town.person(mail="li@village.example")
    await town.choose(person, mail={"questions": "now"}, phone={"questions": "off"})
    await town.tell(person)
    town.people.status = 503
    assert await town.step(Channel.MAIL, MailFiles(tmp_path, WRITER))
    assert not await town.step(Channel.MAIL, MailFiles(tmp_path, WRITER))  # leased for a while
    [waits] = await town.house.rows("SELECT tries, handing_at FROM sendings", "")
    assert waits == {"tries": 0, "handing_at": None}
    town.people.status = 200
    await town.change("UPDATE sendings SET lease_until = now()")
    assert await town.step(Channel.MAIL, MailFiles(tmp_path, WRITER))
    [file] = _files(tmp_path)
    assert file.stat().st_mode & 0o077 == 0
    [row] = await town.outward(person)
    assert row["state"] == "sent"


async def test_nobody_without_an_address_is_tried(town: Town, tmp_path: Path) -> None:
    for person in (town.person(), new_id()):  # no mail given, and nobody whom requests knows
        await town.choose(person, mail={"questions": "now"}, phone={"questions": "off"})
        await town.tell(person)
        assert await town.step(Channel.MAIL, MailFiles(tmp_path, WRITER))
        [row] = await town.outward(person)
        assert (row["state"], row["reason"]) == ("suppressed", "no-address")
    assert not _files(tmp_path)


async def test_a_process_that_ends_before_the_mark_loses_nothing_and_after_it_leaves_unknown(
    town: Town, tmp_path: Path
) -> None:
    class Ended(BaseException):
        """As a kill would end it."""

    class Killed:
        async def carry(self, parcel: Parcel) -> Carried:
            """Nobody returns from here."""
            raise Ended

    before, after = town.person(mail="a@village.example"), town.person(mail="b@village.example")
    for person in (before, after):
        await town.choose(person, mail={"questions": "now"}, phone={"questions": "off"})
    await town.tell(before)
    town.people.status = 503
    await town.step(Channel.MAIL, MailFiles(tmp_path, WRITER))
    town.people.status = 200
    await town.change("UPDATE sendings SET lease_until = now()")
    assert await town.step(Channel.MAIL, MailFiles(tmp_path, WRITER))
    assert [row["state"] for row in await town.outward(before)] == ["sent"]

    await town.tell(after)
    with pytest.raises(Ended):
        await town.step(Channel.MAIL, Killed())
    assert not await town.step(Channel.MAIL, MailFiles(tmp_path, WRITER))
    await town.change(
        "UPDATE sendings SET handing_at = now() - make_interval(secs => :lost)", lost=sending.LOST_SECONDS
    )
    await town.step(Channel.MAIL, MailFiles(tmp_path, WRITER))
    [row] = await town.outward(after)
    assert (row["state"], row["reason"]) == ("failed", "unknown")
    assert len(_files(tmp_path)) == 1


async def test_two_workers_bring_it_once(town: Town, tmp_path: Path) -> None:
    people = [town.person(phone=f"1900000{place:04}") for place in range(30)]
    for person in people:
        await town.tell(person)
    carrier = PhoneCarrier(FileProvider(tmp_path))

    async def work() -> None:
        while await town.step(Channel.PHONE, carrier):
            pass

    await asyncio.gather(*(work() for _ in range(3)))
    assert len(_files(tmp_path)) == len(people)
    assert {row["state"] for person in people for row in await town.outward(person)} == {"sent"}


async def test_what_came_at_night_is_one_message_in_the_morning(town: Town, tmp_path: Path) -> None:
    local = datetime.now(UTC).astimezone(VOICE.zone)
    around = tuple(f"{(local + timedelta(hours=hours)):%H:%M}" for hours in (-1, 2))
    person = town.person(phone="19000000001")
    await town.tell(person, quiet=around)
    await town.tell(person, template="visit-off", purpose="visit", quiet=around)
    carrier = PhoneCarrier(FileProvider(tmp_path))
    assert not await town.step(Channel.PHONE, carrier)
    await town.tell(person, urgent=True, quiet=around)
    assert await town.step(Channel.PHONE, carrier)
    [urgent] = _files(tmp_path)
    urgent.unlink()
    rows = await town.house.rows("SELECT DISTINCT send_at FROM sendings", "")
    assert [f"{row['send_at'].astimezone(VOICE.zone):%H:%M}" for row in rows] == [around[1]]
    await town.change("UPDATE sendings SET send_at = now()")
    assert await town.step(Channel.PHONE, carrier)
    [morning] = _files(tmp_path)
    words = morning.read_text("utf-8")
    assert "2 messages for you" in words
    assert words.count(town.number) == 2
    assert {row["state"] for row in await town.outward(person)} == {"sent"}


async def test_what_is_not_needed_any_more_stays_inside(town: Town, tmp_path: Path) -> None:
    person = town.person(phone="19000000001")
    key, topic = str(town.order), "lianhu.requests.v1"
    unit = {"code": town.code, "name": "试验村", "settings": {}}
    await town.house.hear(town.code, "lianhu.directory.v1", "org-unit.upserted", town.code, 1, unit)
    submitted = {
        "request_id": key, "status": "submitted", "by": None, "number": town.number, "service": "home-repair",
        "grid": None, "household": None, "reporter": None, "resident": None, "guardian": False, "minor": False,
        "urgent": False,
    }  # fmt: skip
    await town.house.hear(town.code, topic, "request.submitted", key, 1, submitted)
    await town.tell(person, quiet=("00:00", "23:59"))
    withdrawn = {"request_id": key, "status": "withdrawn", "by": None}
    await town.house.hear(town.code, topic, "request.withdrawn", key, 2, withdrawn)
    [row] = await town.outward(person)
    assert (row["state"], row["reason"]) == ("suppressed", "superseded")
    assert not await town.house.rows("SELECT 1 FROM sendings", "")
    assert not await town.step(Channel.PHONE, PhoneCarrier(FileProvider(tmp_path)))


async def test_old_news_and_replayed_news_stay_inside(town: Town) -> None:
    person = town.person(phone="19000000001")
    await town.tell(person, only_inside=True)
    assert await town.outward(person) == []
    inbox = await town.house.http.get("/v1/inbox", headers=bearer("resident", town.code, person))
    assert len(inbox.json()["items"]) == 1


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (httpx.Response(200), ("sent", None)),
        (httpx.Response(400), ("failed", "refused")),
        (httpx.Response(429), ("due", None)),
        (httpx.Response(503), ("due", None)),
        (httpx.ConnectError("nobody"), ("due", None)),
        (httpx.ReadTimeout("no answer"), ("failed", "unknown")),
    ],
)
async def test_what_a_gateway_answers_decides(
    town: Town, answer: httpx.Response | Exception, state: tuple[str, str | None]
) -> None:
    seen: list[bytes] = []

    def gateway(request: httpx.Request) -> httpx.Response:
        seen.append(request.content)
        if isinstance(answer, Exception):
            raise answer
        return answer

    person = town.person(phone="19000000001")
    await town.tell(person)
    carrier = PhoneCarrier(GatewayProvider("https://messages.example/send", httpx.MockTransport(gateway)))
    assert await town.step(Channel.PHONE, carrier)
    assert not await town.step(Channel.PHONE, carrier)
    [row] = await town.outward(person)
    assert (row["state"], row["reason"]) == state
    assert len(seen) == 1


async def test_a_person_sees_what_was_brought_to_them_and_nobody_else_does(town: Town, tmp_path: Path) -> None:
    person = town.person(phone="19000000001")
    await town.tell(person)
    await town.step(Channel.PHONE, PhoneCarrier(FileProvider(tmp_path)))
    http, code = town.house.http, town.code
    mine = await http.get("/v1/deliveries/mine", headers=bearer("resident", code, person))
    assert [(one["channel"], one["state"]) for one in mine.json()["items"]] == [("phone", "sent")]
    other = await http.get("/v1/deliveries/mine", headers=bearer("resident", code, new_id()))
    assert other.json()["items"] == []
    assert (await http.get("/v1/deliveries/mine")).status_code == 401
    # A desk's list shows its village, not what its clerk was told elsewhere.
    listed = await http.get("/v1/deliveries", headers=bearer("clerk", village(), person))
    assert listed.json()["items"] == []


async def test_choices_are_kept_by_channel_and_wrong_ones_refused(town: Town) -> None:
    person, code = town.person(), town.code
    await town.choose(person, mail={"questions": "morning"})
    await town.choose(person, phone={"offers": "off"})
    headers = bearer("resident", code, person)
    kept = (await town.house.http.get("/v1/preferences", headers=headers)).json()
    assert (kept["choices"]["mail"]["questions"], kept["choices"]["phone"]["offers"]) == ("morning", "off")
    assert kept["choices"]["phone"]["questions"] == "now"
    wrongs: list[dict[str, Any]] = [{"pigeon": {}}, {"mail": {"gossip": "now"}}, {"mail": {"questions": "hourly"}}]
    for wrong in wrongs:
        body = {"locale": "en", "choices": wrong}
        assert (await town.house.http.put("/v1/preferences", headers=headers, json=body)).status_code == 422
