"""What leaves the house, against a real mail server: at most once, whatever fails, and its end is said."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from integration.notifications.outward import VOICE, WRITER, Postmaster, Town, files_in
from lianhu_kit.identifiers import new_id
from notifications_service.domain.choices import Channel
from notifications_service.domain.outward import Carried
from notifications_service.handlers import mail, sending
from notifications_service.handlers.carrying import Parcel
from notifications_service.handlers.mail import MailFiles, MailServer
from notifications_service.handlers.phone import FileProvider, PhoneCarrier
from support.people import bearer


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
    [file] = files_in(tmp_path)
    assert file.stat().st_mode & 0o077 == 0
    [row] = await town.outward(person)
    assert row["state"] == "sent"


async def test_what_waited_for_over_a_day_stays_inside(town: Town, tmp_path: Path) -> None:
    untried, tried = town.person(mail="a@village.example"), town.person(mail="b@village.example")
    for person, sql in (
        (untried, "UPDATE sendings SET send_at = now() - interval '25 hours'"),
        (tried, "UPDATE sendings SET created_at = now() - interval '25 hours', tries = 3"),
    ):
        await town.choose(person, mail={"questions": "now"}, phone={"questions": "off"})
        await town.tell(person)
        await town.change(sql)
        assert await town.step(Channel.MAIL, MailFiles(tmp_path, WRITER))
    assert not files_in(tmp_path)
    found = [(row["state"], row["reason"]) for person in (untried, tried) for row in await town.outward(person)]
    assert found == [("suppressed", "too-late"), ("failed", "unreachable")]


async def test_nobody_without_an_address_is_tried(town: Town, tmp_path: Path) -> None:
    for person in (town.person(), new_id()):  # no mail given, and nobody whom requests knows
        await town.choose(person, mail={"questions": "now"}, phone={"questions": "off"})
        await town.tell(person)
        assert await town.step(Channel.MAIL, MailFiles(tmp_path, WRITER))
        [row] = await town.outward(person)
        assert (row["state"], row["reason"]) == ("suppressed", "no-address")
    assert not files_in(tmp_path)


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
    assert len(files_in(tmp_path)) == 1


async def test_two_workers_bring_it_once(town: Town, tmp_path: Path) -> None:
    people = [town.person(phone=f"1900000{place:04}") for place in range(30)]
    for person in people:
        await town.tell(person)
    carrier = PhoneCarrier(FileProvider(tmp_path))

    async def work() -> None:
        while await town.step(Channel.PHONE, carrier):
            pass

    await asyncio.gather(*(work() for _ in range(3)))
    assert len(files_in(tmp_path)) == len(people)
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
    [urgent] = files_in(tmp_path)
    urgent.unlink()
    rows = await town.house.rows("SELECT DISTINCT send_at FROM sendings", "")
    assert [f"{row['send_at'].astimezone(VOICE.zone):%H:%M}" for row in rows] == [around[1]]
    await town.change("UPDATE sendings SET send_at = now()")
    assert await town.step(Channel.PHONE, carrier)
    [morning] = files_in(tmp_path)
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
