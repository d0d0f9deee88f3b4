"""Notices become deliveries: rows, messages and events, in three round trips however many people are told."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.context import current_cause
from lianhu_kit.database import now, wake_after_commit
from lianhu_kit.identifiers import new_id
from lianhu_kit.outbox import OutgoingEvent, record
from notifications_service.domain.audiences import caller_of
from notifications_service.domain.notices import CALL, INBOX, Notice
from notifications_service.domain.outward import Outward, outward
from notifications_service.domain.quiet import quiet_of, send_at
from notifications_service.events.notifications import Telling, due, sent, suppressed
from notifications_service.handlers.voice import Voice
from notifications_service.queries.people import Chosen, chosen_by

MESSAGES_CHANNEL = "lianhu_messages"
_PEOPLE_PER_WAKEUP = 200  # a NOTIFY carries under 8,000 bytes

# All deliveries of an event and the messages in their inboxes. What was told before is left out, whatever is replayed.
_DELIVER = text(
    """
    WITH given AS (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (
            id uuid, tenant text, grid text, request_id uuid, number text, sequence smallint, purpose text,
            template text, channel text, audience text, person uuid, recipient text, about text, attempt smallint,
            state text, reason text, event_id text, caller uuid, words jsonb, locale text, title text, body text,
            send_at timestamptz)),
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
        FROM given JOIN told USING (id) WHERE given.title IS NOT NULL AND given.send_at IS NULL),
    queued AS (
        INSERT INTO sendings (id, tenant, person, channel, locale, title, body, traceparent, created_at,
            send_at)
        SELECT id, tenant, person, channel, locale, title, body, :traceparent, CAST(:now AS timestamptz), send_at
        FROM given JOIN told USING (id) WHERE given.send_at IS NOT NULL)
    SELECT id FROM told
    """
)


@dataclass(frozen=True)
class Letter:
    """A notice with its id and, in the recipient's language, its words; `send_at` where it leaves the house."""

    id: UUID
    notice: Notice
    locale: str
    values: Mapping[str, str]
    send_at: datetime | None = None
    attempt: int = 1

    def row(self, voice: Voice, event_id: str) -> dict[str, Any]:
        """The columns of its delivery, and its words where it goes into an inbox or leaves the house."""
        notice, matter = self.notice, self.notice.matter
        boxed = notice.channel == INBOX and notice.state == "sent"
        worded = boxed or self.send_at is not None
        words = voice.say(matter.tenant, notice.template, self.locale, self.values) if worded else (None, None)
        return {
            "id": self.id, "tenant": matter.tenant, "grid": matter.grid, "request_id": matter.id,
            "number": matter.number, "sequence": 2 if boxed else 1, "purpose": notice.purpose,
            "template": notice.template, "channel": notice.channel, "audience": notice.audience,
            "person": notice.person, "recipient": notice.recipient, "about": notice.about, "attempt": self.attempt,
            "state": notice.state, "reason": notice.reason, "event_id": event_id,
            "caller": caller_of(matter) if notice.channel == CALL else None,
            "words": dict(self.values) if notice.channel == CALL else None,
            "locale": self.locale, "title": words[0], "body": words[1], "send_at": self.send_at,
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
    session: AsyncSession, voice: Voice, notices: Sequence[Notice], event_id: str, known: Mapping[str, Any], *,
    only_inside: bool = False,
) -> list[UUID]:  # fmt: skip
    """Writes the notices down, each in its recipient's language; answers the ids of those not told before.

    `known` holds the event's own values for the texts (`name`, `until`, `missing`). With `only_inside` nothing leaves
    the house.
    """
    if not notices:
        return []
    chosen = await chosen_by(session, {one.person for one in notices if one.person is not None})
    leaving = outward(notices, {person: one.choices for person, one in chosen.items()}, voice.channels)
    letters = [_letter(voice, notice, chosen, known) for notice in notices]
    if not only_inside:
        letters += [_leaving(voice, one, chosen, known, now(session)) for one in leaving]
    rows = orjson.dumps([letter.row(voice, event_id) for letter in letters], default=str).decode()
    values = {"rows": rows, "now": now(session), "traceparent": current_cause().traceparent}
    told = set((await session.execute(_DELIVER, values)).scalars())
    fresh = [letter for letter in letters if letter.id in told]
    await record(session, [event for letter in fresh for event in letter.events()])
    _wake(session, [letter.notice.person for letter in fresh if letter.notice.person and letter.notice.state == "sent"])
    return [letter.id for letter in fresh]


def _leaving(
    voice: Voice, one: Outward, chosen: Mapping[UUID, Chosen], known: Mapping[str, Any], moment: datetime
) -> Letter:
    matter = one.notice.matter
    at = send_at(moment, voice.zone, quiet_of(matter.quiet_hours), one.pace, urgent=matter.urgent)
    return _letter(voice, one.notice, chosen, known, at)


def _letter(
    voice: Voice, notice: Notice, chosen: Mapping[UUID, Chosen], known: Mapping[str, Any], at: datetime | None = None
) -> Letter:
    matter = notice.matter
    wish = chosen[notice.person].locale if notice.person and notice.person in chosen else None
    locale = voice.language(wish, matter.locale)
    all_known = {**known, "number": matter.number, "service": matter.service, "place": matter.place}
    return Letter(new_id(), notice, locale, voice.values(locale, all_known, notice.template), at)


def _wake(session: AsyncSession, people: Collection[UUID]) -> None:
    """Rings at the streams of these people once this has committed."""
    ids = [str(person) for person in people]
    for start in range(0, len(ids), _PEOPLE_PER_WAKEUP):
        wake_after_commit(session, MESSAGES_CHANNEL, ",".join(ids[start : start + _PEOPLE_PER_WAKEUP]))
