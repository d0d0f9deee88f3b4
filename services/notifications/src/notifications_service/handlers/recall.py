"""A delivery comes back as its own events tell of it: the row, and the message in the inbox. Nobody is told again."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.database import now
from lianhu_kit.envelope import ReceivedEvent
from lianhu_kit.inbound import NotYet
from lianhu_kit.outbox import record
from notifications_service.domain.audiences import Matter, caller_of
from notifications_service.domain.notices import CALL, INBOX
from notifications_service.domain.recollection import Recollection, Told
from notifications_service.events.notifications import Telling, failed, sent
from notifications_service.events.requests import RequestEvent
from notifications_service.handlers.hear import follow, know_dispatch, know_request, known_values
from notifications_service.handlers.voice import Voice
from notifications_service.queries import matters

# Who read what is lost: what is older comes back as read, what is younger as unread, as somebody may wait for it.
UNREAD_FOR = timedelta(days=1)
_BRING_BACK = text(
    """
    WITH given AS (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS row (
            id uuid, tenant text, grid text, request_id uuid, number text, sequence smallint, purpose text,
            template text, channel text, audience text, person uuid, recipient text, about text, attempt smallint,
            state text, reason text, event_id text, caller uuid, words jsonb, outcome text, by uuid,
            created_at timestamptz, updated_at timestamptz, locale text, title text, body text)),
    back AS (
        INSERT INTO deliveries (id, tenant, grid, request_id, number, sequence, purpose, template, channel, audience,
            person, recipient, about, attempt, state, reason, event_id, caller, words, outcome, by, created_at,
            updated_at)
        SELECT id, tenant, grid, request_id, number, sequence, purpose, template, channel, audience, person, recipient,
            about, attempt, state, reason, event_id, caller, words, outcome, by, created_at, updated_at
        FROM given ORDER BY id ON CONFLICT DO NOTHING RETURNING id)
    INSERT INTO messages (id, person, tenant, request_id, number, purpose, template, locale, title, body, created_at,
        read_at)
    SELECT id, person, tenant, request_id, number, purpose, template, locale, title, body, created_at,
        CASE WHEN created_at < CAST(:unread_from AS timestamptz) THEN created_at END
    FROM given JOIN back USING (id) WHERE given.title IS NOT NULL
    """
)


async def hear_again(
    session: AsyncSession, voice: Voice, recollection: Recollection, event: ReceivedEvent, data: Any
) -> None:
    """An event while the database is rebuilt: what it told comes back; only what is younger than the seam tells more.

    The younger one's rows are there before it tells, so that who was told of it is not told again.
    """
    if isinstance(data, RequestEvent):
        matter = await know_request(session, event, data)
    else:
        matter = await know_dispatch(session, event, data)
    told = recollection.of(event.id)
    await recall(session, voice, told, event.id, matter, known_values(data.model_dump()))
    if not recollection.is_past(event.time):
        await follow(session, voice, event, data, matter)


async def recall(
    session: AsyncSession, voice: Voice, told: list[Told], event: str, matter: Matter, known: Mapping[str, Any]
) -> None:
    """Brings back what an event told, with the calls that followed. NotYet where it told of a request still to come.

    `known` holds the event's own values for the texts.
    """
    rows: list[dict[str, Any]] = []
    for one in told:
        own = matter if one.first.request in (matter.id, None) else await matters.one(session, one.first.request)
        if own is None:
            raise NotYet(str(one.first.request))
        rows += await _rows(session, voice, one, event, own, known)
    if rows:
        values = {"rows": orjson.dumps(rows, default=str).decode(), "unread_from": now(session) - UNREAD_FOR}
        await session.execute(_BRING_BACK, values)


async def _rows(
    session: AsyncSession, voice: Voice, one: Told, event: str, matter: Matter, known: Mapping[str, Any]
) -> list[dict[str, Any]]:
    sequence = one.last.sequence
    if one.state == "sent" and one.last.kind == "due":  # it stood in the inbox, and the word of that was lost
        sequence += 1
        await record(session, [sent(_telling(one), sequence)])
    elif one.state == "failed" and one.last.kind == "due":  # whether it left the house before the loss, nobody knows
        sequence += 1
        await record(session, [failed(_telling(one), sequence, "unknown")])
    rows = [_row(voice, one, event, matter, known) | {"sequence": sequence}]
    for after in one.following:
        by_itself = after.first.template != one.first.template
        rows += await _rows(session, voice, after, str(one.id) if by_itself else event, matter, known)
    return rows


def _row(voice: Voice, one: Told, event: str, matter: Matter, known: Mapping[str, Any]) -> dict[str, Any]:
    word, locale = one.first, voice.language(matter.locale)
    all_known = {**known, "number": matter.number, "service": matter.service, "place": matter.place}
    values = voice.values(locale, all_known, word.template)
    boxed = word.channel == INBOX and one.state == "sent"
    title, body = voice.say(word.tenant, word.template, locale, values) if boxed else (None, None)
    return {
        "id": word.delivery, "tenant": word.tenant, "grid": matter.grid, "request_id": word.request,
        "number": matter.number, "purpose": word.purpose, "template": word.template, "channel": word.channel,
        "audience": word.audience, "person": word.person, "recipient": one.recipient, "about": one.about(event),
        "attempt": word.attempt, "state": one.state, "reason": one.reason, "event_id": event,
        "caller": caller_of(matter) if word.channel == CALL else None,
        "words": values if word.channel == CALL else None, "outcome": one.outcome, "by": one.last.by,
        "created_at": word.at, "updated_at": one.last.at, "locale": locale, "title": title, "body": body,
    }  # fmt: skip


def _telling(one: Told) -> Telling:
    word = one.first
    return Telling(
        word.delivery, word.request, word.tenant, word.purpose, word.template, word.channel, word.audience, word.person,
        word.attempt,
    )  # fmt: skip
