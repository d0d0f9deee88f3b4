"""The call list: who has no inbox is called, or somebody knocks; the outcome is the delivery's."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from lianhu_kit.access import Access, permits
from lianhu_kit.api import Body, DivisionCode, Page, Session, page_of
from lianhu_kit.database import enter_scope
from lianhu_kit.problems import NotFound
from notifications_service.api.reach import person_of, reaches
from notifications_service.domain.calls import Outcome
from notifications_service.handlers.calls import end_call
from notifications_service.handlers.voice import Voice
from notifications_service.queries import deliveries
from notifications_service.queries.people import Chosen, chosen_by
from notifications_service.tables import Delivery

router = APIRouter(tags=["calls"])
CALLERS = ("clerk", "grid_worker", "grid_leader", "branch_secretary", "volunteer")
State = Literal["due", "sent", "failed", "suppressed"]


class Made(BaseModel):
    """A try that was made."""

    attempt: int
    outcome: str
    at: datetime


class Call(BaseModel):
    """A call to make or made, with the words to say; whom to reach is read from the requests service.

    `caller` is the linking person whose call it is; null is the clerks'. `history` are the tries before it.
    """

    id: UUID
    tenant: str
    grid: str | None
    request_id: UUID | None
    number: str | None
    purpose: str
    audience: str
    template: str
    attempt: int
    state: str
    reason: str | None
    outcome: str | None
    caller: UUID | None
    title: str
    body: str
    created_at: datetime
    updated_at: datetime
    history: list[Made]


class Calls(BaseModel):
    """A page of calls, oldest first."""

    items: list[Call]
    next: str | None = None


class CallOutcome(Body):
    """What came of the call."""

    outcome: Outcome


class NextTry(BaseModel):
    """The call that was opened because nobody answered."""

    id: UUID
    attempt: int


class CallResult(BaseModel):
    """The call after its outcome, and the next try where one was opened."""

    id: UUID
    request_id: UUID | None
    state: str
    reason: str | None
    outcome: str
    attempt: int
    next_try: NextTry | None


@router.get("/v1/calls", response_model_exclude_unset=True)
async def read_calls(
    http: Request,
    session: Session,
    access: Annotated[Access, permits(*CALLERS)],
    page: Page,
    tenant: Annotated[
        DivisionCode | None, Query(description="without it, under the widest of the caller's roles")
    ] = None,
    state: Annotated[State | None, Query(description="without it, all")] = None,
    request: Annotated[UUID | None, Query(description="of one request")] = None,
) -> Calls:
    """The calls of a place; a volunteer sees those that are theirs to make, as linking person."""
    person = person_of(access)
    reach = reaches(access, tenant)[0]
    await enter_scope(session, reach.code, person)
    rows = await deliveries.calls(
        session, reach, state=state, request=request, after=page.after_id, limit=page.limit + 1
    )
    voice: Voice = http.app.state.voice
    locale = voice.language((await chosen_by(session, [person])).get(person, Chosen()).locale)
    tries = await deliveries.earlier_tries(session, rows)
    items = [_call(voice, row, locale, tries.get(row.id, ())) for row in rows]
    last = [rows[page.limit - 1].id] if len(rows) > page.limit else None
    return Calls(**page_of(items, page.limit, last))


@router.post("/v1/calls/{id}")
async def record_outcome(
    session: Session, access: Annotated[Access, permits(*CALLERS)], id: UUID, body: CallOutcome
) -> CallResult:
    """Records what came of a call, once; 409 where it has ended. Nobody answered: the next try is opened, up to two."""
    person = person_of(access)
    for reach in reaches(access):
        await enter_scope(session, reach.code, person)
        call = await deliveries.call(session, reach, id)
        if call is not None:
            break
    else:
        raise NotFound()
    ended = await end_call(session, call, body.outcome, person)
    following = ended.following
    return CallResult(
        id=call.id,
        request_id=call.request_id,
        state=ended.delivery.state,
        reason=ended.delivery.reason,
        outcome=body.outcome.value,
        attempt=call.attempt,
        next_try=None if following is None else NextTry(id=following.id, attempt=following.attempt),
    )


def _call(voice: Voice, row: Delivery, locale: str, tries: Sequence[Delivery]) -> Call:
    title, body = voice.say(row.tenant, row.template, locale, row.words or {})
    return Call(
        **row.model_dump(include=set(Call.model_fields)),
        title=title,
        body=body,
        history=[Made(attempt=one.attempt, outcome=one.outcome or "", at=one.updated_at) for one in tries],
    )
