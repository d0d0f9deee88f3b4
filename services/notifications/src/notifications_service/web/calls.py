"""The call list as a page: whom to call or knock at, what to say, and what came of it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel

from lianhu_kit.api import Page, Session
from lianhu_kit.problems import Problem
from lianhu_web.contacts import contact_of
from lianhu_web.faults import read
from lianhu_web.guarding import Guarded, fields_of
from lianhu_web.pages import pages_of
from lianhu_web.visiting import Visitor, needs
from lianhu_web.words import N_
from notifications_service.api.calls import CALLERS, CallOutcome, read_calls, record_outcome
from notifications_service.domain.calls import Outcome
from notifications_service.handlers.calls import CallMade

router = APIRouter(include_in_schema=False)
Caller = Annotated[Visitor, needs(*CALLERS)]
CallId = Annotated[UUID, Path()]
OUTCOMES = (
    (Outcome.REACHED, N_("Reached and told")),
    (Outcome.NO_ANSWER, N_("Nobody answered")),
    (Outcome.WRONG_NUMBER, N_("Wrong number")),
    (Outcome.REFUSED, N_("Did not want to talk")),
)
PURPOSES = {
    "ask": N_("Something is missing"), "result": N_("What was decided"), "merged": N_("Joined with another"),
    "news": N_("News"), "confirm": N_("Ask whether it is solved"), "visit": N_("Somebody is coming"),
    "guardian": N_("The guardian: somebody is coming"), "limit": N_("A later time"),
}  # fmt: skip
ENDED = N_("This call has ended already: somebody else noted it. Go on with the others.")


class OutcomeForm(BaseModel):
    """What came of it."""

    outcome: Outcome


@router.get("/calls")
async def calls(
    request: Request, visitor: Caller, session: Session, page: Page, done: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """The calls to make, the oldest first."""
    return await _page(request, visitor, session, page, done=done)


@router.post("/calls/{id}/contact")
async def open_contact(
    request: Request, visitor: Caller, form: Guarded, session: Session, page: Page, id: CallId
) -> Response:
    """Shows whom to call: read from requests in the caller's name, and written down there."""
    return await _page(request, visitor, session, page, opened=id)


@router.post("/calls/{id}")
async def note_outcome(request: Request, visitor: Caller, form: Guarded, page: Page, id: CallId) -> Response:
    """Notes what came of a call, once."""
    given, faults = read(OutcomeForm, fields_of(form, "outcome"), visitor)
    database = request.app.state.database
    if given is not None:
        try:
            async with database.transaction() as session:
                result = await record_outcome(session, visitor.access, id, CallOutcome(outcome=given.outcome))
            return pages_of(request).go(visitor, f"/calls?done={'again' if result.next_try else 'yes'}")
        except CallMade:
            faults = {"form": visitor.say(ENDED)}
        except Problem as problem:
            if problem.status != 409:
                raise
            faults = {"form": visitor.say(ENDED)}
    async with database.transaction() as session:
        return await _page(request, visitor, session, page, faults=faults, wrong=id)


async def _page(
    request: Request, visitor: Visitor, session: Session, page: Page, *, done: str = "", opened: UUID | None = None,
    faults: dict[str, str] | None = None, wrong: UUID | None = None,
) -> Response:  # fmt: skip
    listed = await read_calls(request, session, visitor.access, page, None, "due", None)
    contact: Any = None
    if opened is not None and visitor.caller is not None:
        about = next((call.request_id for call in listed.items if call.id == opened), None)
        if about is not None:
            url = request.app.state.settings.requests_url
            contact = await contact_of(url, visitor.caller.token, about)
    return pages_of(request).show(
        visitor, "calls/list.html", 422 if faults else 200, calls=listed.items, following=listed.next,
        outcomes=OUTCOMES, purposes=PURPOSES, done=done, opened=opened, contact=contact, faults=faults or {},
        wrong=wrong,
    )  # fmt: skip
