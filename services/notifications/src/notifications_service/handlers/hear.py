"""An event of a request or of its dispatch was heard: who is to be told, and which calls are not needed any more."""

import re
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.database import now
from lianhu_kit.envelope import ReceivedEvent
from lianhu_kit.inbound import NotYet
from lianhu_kit.outbox import record
from notifications_service.domain.audiences import OFFICES, Audience, Matter
from notifications_service.domain.calls import POINTLESS, is_stale
from notifications_service.domain.hearing import rules_for
from notifications_service.domain.notices import Happening, ask_once, notices
from notifications_service.events.dispatch import Claimed, DispatchEvent
from notifications_service.events.notifications import Telling, suppressed
from notifications_service.events.requests import Merged, RequestEvent, Submitted, Weighed
from notifications_service.handlers.deliver import deliver
from notifications_service.handlers.voice import Voice
from notifications_service.queries import matters
from notifications_service.queries.people import officials

_TYPE = re.compile(r"^lianhu\.(.+)\.v\d+$")
_PLACE = text(
    """
    INSERT INTO requests (id, tenant, number, service, grid, household, resident, reporter, guardian, minor, urgent,
        unseen, status, holders)
    VALUES (:id, :tenant, :number, :service, :grid, :household, :resident, :reporter, :guardian, :minor, :urgent,
        :unseen, :status, '{}')
    ON CONFLICT (id) DO NOTHING
    """
)
_SUPERSEDE = text(
    """
    WITH unsent AS (
        DELETE FROM sendings s USING deliveries d
        WHERE d.request_id = :request AND d.state = 'due' AND d.purpose = ANY (:purposes) AND s.id = d.id
          AND s.handing_at IS NULL
        RETURNING s.id)
    UPDATE deliveries SET state = 'suppressed', reason = 'superseded', sequence = sequence + 1, updated_at = :now
    WHERE request_id = :request AND state = 'due' AND purpose = ANY (:purposes)
      AND (channel = 'call' OR id IN (SELECT id FROM unsent))
    RETURNING id, request_id, tenant, purpose, template, channel, audience, person, attempt, sequence
    """
)
_OPEN_QUESTIONS = text(
    """
    SELECT recipient FROM deliveries
    WHERE request_id = ANY (:requests) AND channel = 'call' AND state = 'due' AND purpose = 'confirm'
    """
)
# The text of a template calls the event's field so.
_TIMES = ("until", "due_at", "offered_until")


def name_of(type: str) -> str:
    """`request.submitted` of `lianhu.request.submitted.v1`."""
    found = _TYPE.match(type)
    return found[1] if found else type


async def hear_of_request(session: AsyncSession, voice: Voice, event: ReceivedEvent, data: RequestEvent) -> None:
    """An event of the requests topic: moves the copy's status and tells."""
    await follow(session, voice, event, data, await know_request(session, event, data))


async def hear_of_dispatch(session: AsyncSession, voice: Voice, event: ReceivedEvent, data: DispatchEvent) -> None:
    """An event of the dispatch topic: remembers who held the work and tells; NotYet before the request is known."""
    await follow(session, voice, event, data, await know_dispatch(session, event, data))


async def know_request(session: AsyncSession, event: ReceivedEvent, data: RequestEvent) -> Matter:
    """Moves the copy of a request, which its first event makes; the request as it is then."""
    if isinstance(data, Submitted):
        values = data.model_dump(exclude={"request_id", "by"})
        await session.execute(_PLACE, {"id": data.request_id, "tenant": event.tenant, **values})
    into = data.into if isinstance(data, Merged) else None
    urgent = data.urgent if isinstance(data, Weighed) else None
    return await _moved(session, event, data.request_id, status=data.status, into=into, urgent=urgent)


async def know_dispatch(session: AsyncSession, event: ReceivedEvent, data: DispatchEvent) -> Matter:
    """Remembers who held the work; the request as it is then. NotYet before the request is known."""
    holder = data.person if isinstance(data, Claimed) else None
    return await _moved(session, event, data.request_id, holder=holder)


async def _moved(session: AsyncSession, event: ReceivedEvent, request: UUID, **move: Any) -> Matter:
    try:
        matter = await matters.move(session, request, **move)
    except matters.UnknownPlace:
        raise NotYet(event.tenant) from None
    if matter is None:
        raise NotYet(str(request))
    return matter


async def follow(
    session: AsyncSession, voice: Voice, event: ReceivedEvent, data: RequestEvent | DispatchEvent, matter: Matter
) -> None:
    """What an event brings: calls that nobody needs to make any more, and everyone who is told of it."""
    name = name_of(event.type)
    await _supersede(session, name, matter.id)
    stale = is_stale(event.time, now(session))
    await tell(session, voice, Happening(event.id, name, data.by, data.model_dump(), stale=stale), matter)


async def tell(session: AsyncSession, voice: Voice, happening: Happening, matter: Matter) -> list[UUID]:
    """Tells everyone whom the table names for this; answers the ids of the new deliveries."""
    audiences = {rule.to for rule in rules_for(happening.event, happening.data)}
    if not audiences:
        return []
    heard = audiences | ({Audience.TOWN} if matter.unseen else set())
    roles = frozenset[str]().union(*(OFFICES.get(audience, frozenset()) for audience in heard))
    over = await officials(session, matter.grid or matter.tenant, roles) if roles else []
    plan = notices(happening, await _with_others(session, matter, audiences, happening.data), over)
    if any(notice.purpose == "confirm" and notice.state == "due" for notice in plan):
        asked = {"requests": [notice.matter.id for notice in plan]}
        plan = ask_once(plan, set((await session.execute(_OPEN_QUESTIONS, asked)).scalars()))
    return await deliver(session, voice, plan, happening.id, known_values(happening.data), only_inside=happening.stale)


async def _with_others(session: AsyncSession, matter: Matter, audiences: set[Audience], data: Any) -> Matter:
    """The matter with the requests merged into it, or with the one that it was merged into, where they are told."""
    if Audience.FOLLOWERS in audiences:
        return matter.joined(followers=tuple(await matters.followers(session, matter.id)))
    if Audience.TARGET in audiences:
        target = await matters.one(session, data["into"])
        if target is None:
            raise NotYet(str(data["into"]))
        return matter.joined(target=target)
    return matter


def known_values(data: Any) -> dict[str, Any]:
    """The event's own values for the texts."""
    known = {"name": data.get("name"), "missing": data.get("missing_count"), "into": data.get("number_into")}
    return known | {"until": next((data[name] for name in _TIMES if data.get(name)), None)}


async def _supersede(session: AsyncSession, event: str, request: UUID) -> None:
    """Closes open calls that nobody needs to make after this event, and takes back what has not left the house yet."""
    if event not in POINTLESS:
        return
    values = {"request": request, "now": now(session), "purposes": sorted(POINTLESS[event])}
    rows = (await session.execute(_SUPERSEDE, values)).mappings().all()
    await record(
        session,
        [
            suppressed(
                Telling(
                    row["id"], row["request_id"], row["tenant"], row["purpose"], row["template"], row["channel"],
                    row["audience"], row["person"], row["attempt"],
                ),
                row["sequence"],
                "superseded",
            )
            for row in rows
        ],
    )  # fmt: skip
