"""What residents are told and what they can say: next steps, faces, and their word carried out."""

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.api import Words
from lianhu_kit.problems import Conflict, NotFound
from lianhu_web.faults import Faults, read
from lianhu_web.guarding import Fields, fields_of
from lianhu_web.visiting import Visitor
from lianhu_web.words import N_
from requests_service.api.doors import Zone
from requests_service.domain.grades import TooLate
from requests_service.domain.next_steps import NEXT, WITHOUT_TIME
from requests_service.domain.statuses import IllegalTransition
from requests_service.handlers import ending, photos, taking_on
from requests_service.handlers.case import Case

NEXT_WORDS = {status: (words, WITHOUT_TIME.get(status, words)) for status, words in NEXT.items()}
_SAID_ELSEWHERE = (
    N_("The village looks at it and speaks with you by %(by)s."),
    N_("Bring or tell the village what is missing; then it goes on."),
    N_("Somebody is being found for it; it is to be done by %(by)s."),
    N_("Volunteers are being asked; it is to be done by %(by)s."),
    N_("The volunteer contacts you and comes; it is to be done by %(by)s."),
    N_("The work is going on."),
    N_("The agency answers the village, and the village tells you."),
    N_("The town decides, and the village tells you."),
    N_("Please say by %(by)s whether it is solved."),
    N_("You can still say whether it was solved."),
    N_("The village looks at it and speaks with you."),
    N_("Somebody is being found for it."),
    N_("Volunteers are being asked."),
    N_("The volunteer contacts you and comes."),
    N_("Please say whether it is solved."),
)
FACES = (
    ("5", "😀", N_("Very good")),
    ("4", "🙂", N_("Good")),
    ("3", "😐", N_("All right")),
    ("2", "🙁", N_("Not good")),
    ("1", "😠", N_("Bad")),
)
SOLVED = (("yes", N_("Yes, solved")), ("partly", N_("Partly")), ("no", N_("No")))
STEPS = {
    "submitted": N_("Order placed"), "asked": N_("The village asked for something"), "replied": N_("You answered"),
    "accepted": N_("The village took it on"), "rejected": N_("Not taken on"), "reviewed": N_("The town looked again"),
    "dispatch-requested": N_("Sent out"), "routed": N_("In the grid"), "offered": N_("Volunteers were asked"),
    "assigned": N_("Somebody was asked"), "claimed": N_("Somebody took it"), "released": N_("Given back"),
    "checked-in": N_("Work began"), "checked-out": N_("Work ended"), "completed": N_("Done"),
    "confirmed": N_("You said how it was"), "closed": N_("Closed"), "reopened": N_("Opened again"),
    "contacted": N_("The village spoke with you"), "withdrawn": N_("Taken back"), "merged": N_("Joined with another"),
    "split": N_("On its own again"), "referred": N_("Handed to an agency"), "agency-replied": N_("The agency answered"),
    "answered": N_("Answered"), "reported-up": N_("Reported to the town"), "sent-back": N_("Back in the village"),
    "suspended": N_("The clock stands still"), "resumed": N_("The clock runs again"), "extended": N_("More time"),
    "returned": N_("Back to the village"), "cancelled": N_("Called off"), "limit-near": N_("Soon due"),
    "limit-passed": N_("Late"), "escalated": N_("The leader was told"), "reminded": N_("Reminded"),
    "supervised": N_("Ordered by the town"), "declined": N_("Somebody passed"),
    "sampled": N_("The town asked how it was"),
    "photo-added": N_("A photo was added"), "photo-removed": N_("A photo was taken away"),
}  # fmt: skip
MOVED_ON = N_("The order has moved on meanwhile; this cannot be done any more.")
TOO_LATE = N_("It is over thirty days ago. Please place a new order.")


class ConfirmForm(BaseModel):
    """Five faces, one question, and words where they like."""

    solved: Literal["yes", "partly", "no"]
    grade: int = Field(ge=1, le=5)
    comment: Words | None = None


class ReasonForm(BaseModel):
    """Why."""

    reason: Words


class WithdrawForm(BaseModel):
    """Why, where they say it."""

    reason: Words | None = None


class PhotoForm(BaseModel):
    """Which photo is taken away."""

    which: UUID


# What each say asks for; all of it is looked at before a one-time code is used up.
WORDS: Mapping[str, tuple[type[BaseModel], tuple[str, ...]]] = {
    "confirm": (ConfirmForm, ("solved", "grade", "comment")),
    "reopen": (ReasonForm, ("reason",)),
    "withdraw": (WithdrawForm, ("reason",)),
    "reply": (ReasonForm, ("reason",)),
    "remove-photo": (PhotoForm, ("which",)),
}


def word_of(form: Fields, visitor: Visitor) -> tuple[BaseModel | None, Faults]:
    """What a form says by its `act`, or what is wrong with it; NotFound for an act that there is none of."""
    known = WORDS.get(str(form.get("act")))
    if known is None:
        raise NotFound()
    shape, names = known
    return read(shape, fields_of(form, *names), visitor)


async def resident_act(
    session: AsyncSession, request_id: UUID, word: BaseModel, act: str, visitor: Visitor, zone: Zone, *, by: UUID | None
) -> None:
    """Carries a resident's word out in this transaction. Raises Conflict where the order has moved on."""
    case = await Case.lock(session, request_id, by)
    if case is None:
        raise NotFound()
    try:
        await _carry_out(case, word, act, zone)
    except IllegalTransition:
        raise Conflict("illegal-transition", visitor.say(MOVED_ON)) from None
    except TooLate:
        raise Conflict("too-late", visitor.say(TOO_LATE)) from None


async def _carry_out(case: Case, word: BaseModel, act: str, zone: Zone) -> None:
    match word:
        case ConfirmForm():
            await ending.confirm(
                case, solved=word.solved, grade=word.grade, comment=word.comment, source="resident", caller=case.by,
                zone=zone,
            )  # fmt: skip
        case PhotoForm():
            await photos.remove_own(case, word.which)
        case WithdrawForm():
            await ending.withdraw(case, reason=word.reason)
        case ReasonForm() if act == "reopen":
            await ending.reopen(case, reason=word.reason, by_resident=True, zone=zone)
        case ReasonForm():
            await taking_on.reply(case, text=word.reason, answers={})
