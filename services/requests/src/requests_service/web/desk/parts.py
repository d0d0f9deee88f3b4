"""One page with every part that pages are made of, for whoever makes or judges a page."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from lianhu_web.guarding import Guarded
from lianhu_web.pages import pages_of
from lianhu_web.visiting import Visitor, needs
from lianhu_web.words import N_

router = APIRouter(include_in_schema=False)
Staff = Annotated[
    Visitor,
    needs("grid_worker", "grid_leader", "branch_secretary", "clerk", "supervisor", "operator", "admin"),
]
CLOCKS = {
    N_("Enough time"): timedelta(days=2),
    N_("Soon due"): timedelta(hours=1),
    N_("Late"): timedelta(hours=-5),
}
STEPS = (
    (timedelta(days=3), N_("Order placed"), ""),
    (timedelta(days=2), N_("The village took it on"), N_("Village clerk")),
)
NAMES = (N_("Placed"), N_("Open"), N_("Late"))
WRONG = N_("This is needed.")


@dataclass(frozen=True)
class Step:
    """A step of the timeline."""

    at: datetime
    words: str
    by: str


@router.get("/desk/parts")
async def every_part(request: Request, visitor: Staff, done: Annotated[str, Query(max_length=5)] = "") -> Response:
    """Every part once, with its states: right, wrong, near, late, empty."""
    now = datetime.now(UTC)
    clocks = {name: now + span for name, span in CLOCKS.items()}
    return pages_of(request).show(
        visitor, "every_part.html", done=bool(done), clocks=clocks,
        rows=[("dispatched", now + timedelta(hours=1)), ("completed", now + timedelta(days=2))],
        faults={name: visitor.say(WRONG) for name in ("wrong", "few-wrong", "tick-wrong")},
        steps=[Step(now - ago, visitor.say(words), visitor.say(by) if by else "") for ago, words, by in STEPS],
        names=NAMES, table=[("001", (12, 3, 1)), ("002", (8, 5, 0)), ("003", (4, 1, 1))],
    )  # fmt: skip


@router.post("/desk/parts")
async def nothing(request: Request, visitor: Staff, form: Guarded) -> Response:
    """Does nothing, so that the question before an act and the word after it can be seen."""
    return pages_of(request).go(visitor, "/desk/parts?done=yes")
