"""Notices become deliveries: rows, messages and events, in three round trips however many people are told."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.database import now, wake_after_commit
from lianhu_kit.identifiers import new_id
from lianhu_kit.outbox import OutgoingEvent, record
from notifications_service.domain.audiences import caller_of
from notifications_service.domain.notices import CALL, INBOX, Notice
from notifications_service.events.notifications import Telling, due, sent, suppressed
from notifications_service.handlers.voice import Voice, say
from notifications_service.queries.people import locales

MESSAGES_CHANNEL = "lianhu_messages"
_PEOPLE_PER_WAKEUP = 200  # a NOTIFY carries under 8,000 bytes

# All deliveries of an event and the messages in their inboxes. What was told before is left out, whatever is replayed.
_DELIVER = text(
    """
    WITH given AS (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (
            id uuid, tenant text, grid text, request_id uuid, number text, sequence smallint, purpose text,
            template text, channel text, audience text, person uuid, recipient text, about text, attempt smallint,
            state text, reason text, event_id text, caller uuid, words jsonb, locale text, title text, body text)),
    told AS (
        INSERT INTO deliveries (id, tenant, grid, request_id, number, sequence, purpose, template, channel, audience,
            person, recipient, about, attempt, state, reason, event_id, caller, words, created_at, updated_at)
        SELECT id, tenant, grid, request_id, number, sequence, purpose, template, channel, audience, person, recipient,
            about, attempt, state, reason, event_id, caller, words, CAST(:now AS timestamptz),
            CAST(:now AS timestamptz)
        FROM given ORDER BY id
        ON CONFLICT ON CONSTRAINT deliveries_once DO NOTHING RETURNING id),
    boxed AS (
        INSERT INTO messages (id, person, tenant, request_id, number, purpose, template, locale, title, body,
            created_at)
        SELECT id, person, tenant, request_id, number, purpose, template, locale, title, body,
            CAST(:now AS timestamptz)
        FROM given JOIN told USING (id) WHERE given.title IS NOT NULL)
    SELECT id FROM told
    """
)


@dataclass(frozen=True)
class Letter:
    """A notice with its id and, in the recipient's language, its words."""

    id: UUID
    notice: Notice
    locale: str
    values: Mapping[str, str]
    attempt: int = 1

    def row(self, event_id: str) -> dict[str, Any]:
        """The columns of its delivery, and of its message where it goes into an inbox."""
        notice, matter = self.notice, self.notice.matter
        boxed = notice.channel == INBOX and notice.state == "sent"
        title, body = say(notice.template, self.locale, self.values) if boxed else (None, None)
        return {
            "id": self.id, "tenant": matter.tenant, "grid": matter.grid, "request_id": matter.id,
            "number": matter.number, "sequence": 2 if boxed else 1, "purpose": notice.purpose,
            "template": notice.template, "channel": notice.channel, "audience": notice.audience,
            "person": notice.person, "recipient": notice.recipient, "about": notice.about, "attempt": self.attempt,
            "state": notice.state, "reason": notice.reason, "event_id": event_id,
            "caller": caller_of(matter) if notice.channel == CALL else None,
            "words": dict(self.values) if notice.channel == CALL else None,
            "locale": self.locale, "title": title, "body": body,
        }  # fmt: skip

    def events(self) -> list[OutgoingEvent]:
        """What the topic hears of it: an inbox is reached at once."""
        notice, matter = self.notice, self.notice.matter
        telling = Telling(
            self.id, matter.id, matter.tenant, notice.purpose, notice.template, notice.channel, notice.audience,
            notice.person, self.attempt,
        )  # fmt: skip
        if notice.state == "suppressed":
            return [suppressed(telling, 1, notice.reason or "nobody")]
        return [due(telling), sent(telling)] if notice.state == "sent" else [due(telling)]


async def deliver(
    session: AsyncSession, voice: Voice, notices: Sequence[Notice], event_id: str, known: Mapping[str, Any]
) -> list[UUID]:
    """Writes the notices down, each in its recipient's language; answers the ids of those not told before.

    `known` holds the event's own values for the texts (`name`, `until`, `missing`).
    """
    if not notices:
        return []
    chosen = await locales(session, {one.person for one in notices if one.person is not None})
    letters = [_letter(voice, notice, chosen, known) for notice in notices]
    rows = orjson.dumps([letter.row(event_id) for letter in letters], default=str).decode()
    told = set((await session.execute(_DELIVER, {"rows": rows, "now": now(session)})).scalars())
    fresh = [letter for letter in letters if letter.id in told]
    await record(session, [event for letter in fresh for event in letter.events()])
    _wake(session, [letter.notice.person for letter in fresh if letter.notice.person and letter.notice.state == "sent"])
    return [letter.id for letter in fresh]


def _letter(voice: Voice, notice: Notice, chosen: Mapping[UUID, str], known: Mapping[str, Any]) -> Letter:
    matter = notice.matter
    wish = chosen.get(notice.person) if notice.person else None
    locale = voice.language(wish, matter.locale)
    all_known = {**known, "number": matter.number, "service": matter.service, "place": matter.place}
    return Letter(new_id(), notice, locale, voice.values(locale, all_known, notice.template))


def _wake(session: AsyncSession, people: Collection[UUID]) -> None:
    """Rings at the streams of these people once this has committed."""
    ids = [str(person) for person in people]
    for start in range(0, len(ids), _PEOPLE_PER_WAKEUP):
        wake_after_commit(session, MESSAGES_CHANNEL, ",".join(ids[start : start + _PEOPLE_PER_WAKEUP]))
