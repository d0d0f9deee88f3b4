"""Passing on: answered at once, referred to an agency, or following another request."""

from typing import Literal
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.problems import Conflict, FieldError, Invalid
from requests_service.domain import town
from requests_service.domain.duplicates import LEADERS
from requests_service.domain.statuses import Move
from requests_service.events.published import AgencyReplied, Answered, Merged, Referred, ReportedUp, Split
from requests_service.handlers import clock
from requests_service.handlers.case import Case
from requests_service.handlers.ending import complete
from requests_service.tables import Request


async def answer(case: Case, *, text: str, source: str) -> None:
    """Answers with a source, nobody sent."""
    case.move(Move.ANSWER)
    case.tell(Answered, details={"text": text, "source": source})
    await complete(case, via="answer", evidence="source")
    await case.save()


async def refer(case: Case, *, agency: str, reference: str) -> None:
    """Hands the request to an agency; the village stays the resident's contact until the reply is passed on."""
    case.move(Move.REFER)
    case.tell(Referred, details={"agency": agency, "reference": reference})
    await case.save()


async def agency_reply(case: Case, *, text: str, outcome: Literal["done", "bounced"]) -> None:
    """Passes the agency's reply on, or takes the request back from it: what the village does not see, to the town."""
    case.move(Move.AGENCY_DONE if outcome == "done" else Move.AGENCY_BOUNCED)
    case.tell(AgencyReplied, details={"text": text}, outcome=outcome)
    if outcome == "done":
        await complete(case, via="agency", evidence="agency")
    elif case.request.about is not None:
        case.move(Move.REPORT_UP)
        case.tell(ReportedUp, to=town.above(case.request.tenant))
    await case.save()


async def merge(case: Case, into: UUID) -> None:
    """Lets a duplicate follow another request of the same village. Both are locked before, in the order of ids."""
    if into == case.request.id:
        raise Invalid([FieldError("into", "A request cannot follow itself. Name the other one.")])
    leader = await _leader(case.session, into)
    if leader is None or leader.tenant != case.request.tenant:
        raise Invalid([FieldError("into", "The village has no such request. Name one of the same village.")])
    case.move(Move.MERGE)
    if leader.status not in LEADERS:
        raise Conflict(
            "not-mergeable",
            f"The other request is {leader.status}: nobody would hear of it any more. Name one that is still open.",
            state=leader.status,
        )
    case.request.merged_into = leader.id
    case.tell(Merged, into=leader.id, number_into=leader.number)
    await case.end()
    await case.save()


async def split(case: Case, *, reason: str) -> None:
    """Takes a request out of the one that it followed: submitted again, to be taken on for itself.

    Limits stay as they were promised: those still ahead turn amber and red again. Raises IllegalTransition.
    """
    case.move(Move.SPLIT)
    request = case.request
    out_of, request.merged_into, request.closed_at = request.merged_into, None, None
    await clock.go_on(case)
    case.tell(Split, details={"reason": reason}, out_of=out_of)
    await case.save()


async def _leader(session: AsyncSession, into: UUID) -> Request | None:
    return await session.get(Request, into, populate_existing=True)
