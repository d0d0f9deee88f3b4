"""The town's samples (回访抽样): what of a month is called back, and what the resident said."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from lianhu_kit.api import Body, Session, Words
from lianhu_kit.database import enter_scope, now
from lianhu_web.faults import read
from lianhu_web.guarding import Guarded, fields_of
from lianhu_web.pages import pages_of
from lianhu_web.visiting import Visitor, needs
from requests_service.domain.sampling import SHARE, draw_key, open_months
from requests_service.handlers.case import Case
from requests_service.handlers.sampling import called_back
from requests_service.queries.reach import find
from requests_service.queries.samples import SHOWN, samples, villages_under
from requests_service.web.desk.one import draw_of, show

router = APIRouter(include_in_schema=False)
Supervisor = Annotated[Visitor, needs("supervisor")]


class CalledBack(Body):
    """What a resident said who was called back, where nothing waits for their word."""

    outcome: Literal["stands", "differs", "not-reached"]
    words: Words | None = None


@router.get("/desk/town/samples")
async def sample(
    request: Request, visitor: Supervisor, session: Session, month: Annotated[str, Query(max_length=7)] = "",
    done: str = "",
) -> Response:  # fmt: skip
    """What is called back of this month, or of the one before: drawn, or badly graded; the uncalled first."""
    await enter_scope(session, visitor.grant.scope, visitor.person)
    draw = draw_of(request)
    months = open_months(now(session), draw.zone)
    chosen = next((each for each in months if each.name == month), months[0])
    villages = await villages_under(session, visitor.grant.at)
    rows = await samples(session, list(villages), chosen, draw_key(draw.key, chosen), newest=chosen == months[0])
    waiting = sum(not row["called"] for row in rows[:SHOWN])
    return pages_of(request).show(
        visitor, "desk/samples.html", rows=rows[:SHOWN], more=len(rows) > SHOWN, months=months, month=chosen,
        names=villages, percent=round(SHARE * 100), done=bool(done), waiting=waiting,
    )  # fmt: skip


@router.post("/desk/town/samples/{request_id}")
async def note(request: Request, visitor: Supervisor, form: Guarded, request_id: Annotated[UUID, Path()]) -> Response:
    """Notes what the resident said; 403 for whoever accepted, held or completed the request."""
    body, faults = read(CalledBack, fields_of(form, "outcome", "words"), visitor)
    database = request.app.state.database
    if body is None:
        async with database.transaction() as session:
            typed = fields_of(form, "outcome", "words")
            return await show(request, visitor, session, request_id, faults=faults, at="sample", typed=typed)
    async with database.transaction() as session:
        _, order = await find(session, visitor.access, request_id, lock=True)
        case = Case(session, order, visitor.person)
        await called_back(case, outcome=body.outcome, words=body.words, draw=draw_of(request))
    return pages_of(request).go(visitor, "/desk/town/samples?done=yes")
