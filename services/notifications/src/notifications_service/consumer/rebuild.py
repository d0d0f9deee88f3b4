"""`python -m notifications_service rebuild`: an empty database is filled from the topics, and nobody is told twice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import text

from lianhu_kit.database import Database
from lianhu_kit.envelope import Record, Undecodable, decode
from lianhu_kit.rereading import Refused, read_again, reread
from lianhu_kit.worker import Work
from notifications_service.consumer.subscriptions import TOPICS, subscriptions
from notifications_service.domain.recollection import Recollection, Word
from notifications_service.events.notifications import TOPIC
from notifications_service.events.recalled import word_of
from notifications_service.handlers.recall import hear_again
from notifications_service.handlers.voice import Voice
from notifications_service.settings import Settings

_BEGINNING = datetime.fromtimestamp(0, UTC)
_SOURCE = "/lianhu/notifications"
_EMPTY = text("SELECT NOT EXISTS (SELECT FROM positions)")
_COUNTS = text("SELECT (SELECT count(*) FROM waiting) AS waiting, (SELECT count(*) FROM parked) AS parked")
Report = Callable[[str], None]


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild did: deliveries on the own topic, those whose cause was not found, events that wait or parked."""

    told: int
    left: int
    waiting: int
    parked: int


async def rebuild(settings: Settings, voice: Voice, required_revision: str, report: Report) -> Rebuilt:
    """Learns from the own topic who was told what, then hears everything from the beginning in that knowledge.

    Refused where the database is not empty, or where nothing on the own topic says who was told.
    """
    database = Database(settings.database_url, application_name="notifications-rebuild", pool_size=2)
    try:
        async with database.transaction() as session:
            if not (await session.execute(_EMPTY)).scalar_one():
                raise Refused("This database has heard events already: rebuild fills an empty one.")
        recollection = await _recollect(settings, report)
        report(f"{recollection.count} deliveries are known from {TOPIC}")

        async def hear(session: object, own: Voice, event: object, data: object) -> None:
            await hear_again(session, own, recollection, event, data)  # type: ignore[arg-type]

        heard = subscriptions(voice, hear, hear)
        # Names and offices first, so that what is told of requests does not wait for them.
        for topics in ({t: c for t, c in TOPICS.items() if c}, {t: c for t, c in TOPICS.items() if not c}):
            done = await reread(settings, Work(required_revision, topics, heard), _BEGINNING, report)
            report(f"{', '.join(topics)}: {done['read']} events")
        async with database.transaction() as session:
            counts = (await session.execute(_COUNTS)).one()
        return Rebuilt(recollection.count, recollection.left, counts.waiting, counts.parked)
    finally:
        await database.close()


async def _recollect(settings: Settings, report: Report) -> Recollection:
    words: list[Word] = []

    async def take(records: Sequence[Record]) -> None:
        for record in records:
            try:
                event = decode(record.topic, record.key, record.value, record.headers)
            except Undecodable:
                continue  # a stranger's: this service sends none such
            if event.source == _SOURCE and (word := word_of(event)) is not None:
                words.append(word)

    await read_again(settings, [TOPIC], _BEGINNING, take, report)
    if not words and await _anything(settings, report):
        raise Refused(
            f"{TOPIC} holds nothing, so nobody knows who was told what; everyone would be told everything again. "
            "Restore this service's database from a backup."
        )
    return Recollection(words)


async def _anything(settings: Settings, report: Report) -> bool:
    async def take(_records: Sequence[Record]) -> None:
        return None

    return bool(await read_again(settings, [topic for topic, c in TOPICS.items() if not c], _BEGINNING, take, report))
