"""The moves of the desk as forms: what each asks, and the call of the API that carries it out."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from lianhu_web.guarding import Fields, text_of
from lianhu_web.words import N_
from requests_service.api import endings, moves, standing_still, town
from requests_service.domain.statuses import Move

YES = (("yes", N_("Yes")), ("no", N_("No")))
ROUTES = (("volunteers", N_("Volunteers")), ("staff", N_("Somebody of the staff")), ("none", N_("Nobody yet")))
SENT = ROUTES[:2]
SOLVED = (("yes", N_("Yes, solved")), ("partly", N_("Partly")), ("no", N_("No")))
GRADES = tuple((str(grade), words) for grade, words in (
    (5, N_("Very good")), (4, N_("Good")), (3, N_("All right")), (2, N_("Not good")), (1, N_("Bad")),
))  # fmt: skip


@dataclass(frozen=True)
class Field:
    """One field of a move's form. Kinds: line, text, lines, choice, tick, number, moment, staff, grid, village.

    `open`: nothing is chosen beforehand, since what stands there would be sent unasked.
    """

    name: str
    label: str
    kind: str = "line"
    needed: bool = True
    options: tuple[tuple[str, str], ...] = ()
    open: bool = False


@dataclass(frozen=True)
class MoveForm:
    """A move: its words, its body, its call, who may, and a question before what cannot be undone."""

    label: str
    body: type[BaseModel] | None
    call: Callable[..., Awaitable[dict[str, Any]]]
    roles: tuple[str, ...]
    fields: tuple[Field, ...] = ()
    ask: str | None = None
    zone: bool = False


REASON = Field("reason", N_("The reason"), "text")
FORMS: Mapping[str, MoveForm] = {
    Move.ACCEPT: MoveForm(
        N_("Accept"), moves.AcceptBody, moves.accept, ("clerk",),
        (Field("summary", N_("Summary that others may read: no names, phones, address"), "text"),
         Field("route", N_("Who goes?"), "choice", options=ROUTES),
         Field("staff", N_("Who of the staff"), "staff", False),
         Field("grid", N_("Grid"), "grid", False), Field("places", N_("How many people"), "number", False),
         Field("urgent", N_("It is urgent"), "tick", False)),
    ),
    Move.ASK: MoveForm(
        N_("Ask for what is missing"), moves.AskBody, moves.ask, ("clerk",),
        (Field("missing", N_("Everything that is missing, one a line"), "lines"),),
    ),
    Move.REPLY: MoveForm(
        N_("Note the resident's answer"), moves.ReplyBody, moves.reply, ("clerk",),
        (Field("text", N_("What they brought or said"), "text"),),
    ),
    Move.DISPATCH: MoveForm(
        N_("Dispatch"), moves.DispatchBody, moves.dispatch, ("clerk", "branch_secretary", "supervisor"),
        (Field("route", N_("Who goes?"), "choice", options=SENT),
         Field("staff", N_("Who of the staff"), "staff", False),
         Field("grid", N_("Grid"), "grid", False), Field("places", N_("How many people"), "number", False),
         Field("summary", N_("Summary, where there is none yet"), "text", False)),
    ),
    Move.ANSWER: MoveForm(
        N_("Answer at once"), moves.AnswerBody, moves.answer, ("clerk", "supervisor"),
        (Field("text", N_("The answer"), "text"), Field("source", N_("Where it is written"))),
    ),
    Move.REFER: MoveForm(
        N_("Refer to an agency"), moves.ReferBody, moves.refer, ("clerk", "supervisor"),
        (Field("agency", N_("Agency")), Field("reference", N_("Its reference"))),
    ),
    "agency-reply": MoveForm(
        N_("The agency's reply"), moves.AgencyReplyBody, moves.agency_reply, ("clerk", "supervisor"),
        (Field("text", N_("What it says"), "text"),
         Field("outcome", N_("Outcome"), "choice",
               options=(("done", N_("Done")), ("bounced", N_("Not theirs: back to us"))), open=True)),
    ),
    "contacted": MoveForm(
        N_("I spoke with the resident"), endings.ContactedBody, endings.contacted, ("clerk", "supervisor"),
        (Field("how", N_("How"), "choice",
               options=(("phone", N_("By phone")), ("visit", N_("At their door")), ("desk", N_("At the desk")))),),
    ),
    Move.CONFIRM: MoveForm(
        N_("Note a call back"), endings.ConfirmBody, endings.confirm, ("clerk", "supervisor"),
        (Field("solved", N_("Is it solved?"), "choice", options=SOLVED, open=True),
         Field("grade", N_("Their grade"), "choice", options=GRADES, open=True),
         Field("comment", N_("Their words"), "text", False)),
        zone=True,
    ),
    Move.REOPEN: MoveForm(
        N_("Open it again"), moves.ReasonBody, endings.reopen, ("clerk", "supervisor"), (REASON,), zone=True
    ),
    Move.MERGE: MoveForm(
        N_("Merge into another"), moves.MergeBody, moves.merge, ("clerk",),
        (Field("into", N_("Into which"), "other"),), N_("Merge it? Whoever reported it follows the other from now on."),
    ),
    Move.SPLIT: MoveForm(N_("Split off again"), moves.ReasonBody, moves.split, ("clerk",), (REASON,)),
    Move.TRANSFER: MoveForm(
        N_("Pass to the right village"), moves.TransferBody, moves.transfer, ("clerk", "supervisor"),
        (Field("to", N_("Which village: its name, or its 12 digits"), "village"), REASON,
         Field("service", N_("Code of its service there, where it differs"), needed=False)),
        N_("Pass it on? It is theirs then, and you see it no more. The resident keeps their tracking code."), zone=True,
    ),
    Move.REPORT_UP: MoveForm(N_("Report up"), moves.ReasonBody, town.report_up, ("clerk", "supervisor"), (REASON,)),
    Move.SEND_BACK: MoveForm(
        N_("Send back to the village"), moves.ReasonBody, town.send_back, ("supervisor",), (REASON,)
    ),
    "review": MoveForm(
        N_("Review the refusal"), town.ReviewBody, town.review, ("supervisor",),
        (Field("outcome", N_("What do you decide?"), "choice",
               options=(("upheld", N_("The refusal stands")), ("overturned", N_("The village takes it on"))),
               open=True),
         REASON, Field("summary", N_("Summary, where there is none yet"), "text", False)),
    ),
    Move.SUSPEND: MoveForm(
        N_("Let the clock stand still"), standing_still.SuspendBody, standing_still.suspend, ("clerk", "supervisor"),
        (Field("until", N_("Until when"), "moment", False), REASON,
         Field("approve", N_("For the town: granted?"), "choice", False, YES)),
    ),
    Move.RESUME: MoveForm(N_("Let the clock run again"), None, standing_still.resume, ("clerk", "supervisor")),
    Move.EXTEND: MoveForm(
        N_("A longer limit"), standing_still.ExtendBody, standing_still.extend, ("clerk", "supervisor"),
        (Field("limit", N_("Which limit"), "choice",
               options=(("finish", N_("To be done")), ("contact", N_("To speak with the resident")))),
         Field("due_at", N_("Until when"), "moment", False), REASON,
         Field("approve", N_("For the town: granted?"), "choice", False, YES)),
    ),
    Move.REJECT: MoveForm(
        N_("Refuse"), moves.ReasonBody, moves.reject, ("clerk",), (REASON,),
        N_("Refuse it? The resident is told the reason; only the town can overturn it."),
    ),
    Move.WITHDRAW: MoveForm(
        N_("Withdraw for the resident"), endings.WithdrawBody, endings.withdraw, ("clerk",),
        (Field("reason", N_("The reason"), "text", False),), N_("Withdraw it? This cannot be undone."),
    ),
}  # fmt: skip


def offered(allowed: tuple[str, ...], roles: set[str]) -> dict[str, MoveForm]:
    """The moves that somebody with these roles can make, of those that the request allows, in their order here."""
    return {name: form for name, form in FORMS.items() if name in allowed and roles.intersection(form.roles)}


def body_of(form: MoveForm, given: Fields, zone: ZoneInfo) -> dict[str, Any]:
    """The body of the call from what stands in the form; what is empty is left out."""
    body: dict[str, Any] = {}
    for field in form.fields:
        value = text_of(given, field.name)
        if value is None:
            continue
        match field.kind:
            case "lines":
                body[field.name] = [line.strip() for line in value.splitlines() if line.strip()]
            case "tick":
                body[field.name] = True
            case "choice" if field.name == "grade" and value.isdigit():
                body[field.name] = int(value)
            case "choice" if field.name == "approve":
                body[field.name] = value == "yes"
            case "moment":
                body[field.name] = _moment(value, zone)
            case _:
                body[field.name] = value
    return body


def _moment(value: str, zone: ZoneInfo) -> datetime | str:
    try:
        return datetime.fromisoformat(value).replace(tzinfo=zone)
    except ValueError:
        return value
