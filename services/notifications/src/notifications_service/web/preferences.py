"""What a person chooses of how they are told, and what was brought to them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from lianhu_kit.api import Page, Session
from lianhu_web.faults import Faults, read
from lianhu_web.guarding import Guarded, fields_of
from lianhu_web.pages import pages_of
from lianhu_web.visiting import Visitor, needs
from lianhu_web.words import N_
from notifications_service.api.deliveries import read_mine
from notifications_service.api.preferences import Choice, choose, read_preferences
from notifications_service.api.reach import PEOPLE
from notifications_service.domain.choices import KIND_OF, Channel, Kind, Pace

router = APIRouter(include_in_schema=False)
Reader = Annotated[Visitor, needs(*PEOPLE)]
CHANNELS = {Channel.PHONE: N_("By message to my phone"), Channel.MAIL: N_("By mail")}
KINDS = {
    Kind.QUESTIONS: N_("Questions to me, and whether it is solved"),
    Kind.VISITS: N_("Somebody is coming"),
    Kind.PROGRESS: N_("How it goes on, and what came of it"),
    Kind.OFFERS: N_("Tasks that I could take"),
    Kind.WORK: N_("My tasks: asked, cancelled, supervised"),
    Kind.LIMITS: N_("Limits that come near or have passed"),
}
PACES = {Pace.NOW: N_("at once"), Pace.MORNING: N_("in the morning, all in one"), Pace.OFF: N_("not")}
STATES = {
    ("due", None): N_("on its way"),
    ("sent", None): N_("sent"),
    ("failed", "refused"): N_("refused: is the address right?"),
    ("failed", "unreachable"): N_("not sent: nobody took it, for hours"),
    ("failed", "unknown"): N_("unknown: it may have arrived"),
    ("suppressed", "no-address"): N_("not sent: no address is known"),
    ("suppressed", "superseded"): N_("not sent: not needed any more"),
}


class PreferencesForm(BaseModel):
    """The language of messages."""

    locale: Literal["zh-CN", "en"]


class PaceForm(BaseModel):
    """One choice of the table."""

    pace: Pace


@router.get("/preferences")
async def preferences(request: Request, visitor: Reader, session: Session, done: str = "") -> Response:
    """The choices as they are."""
    return await _page(request, visitor, session, {}, done=bool(done))


@router.post("/preferences")
async def keep(request: Request, visitor: Reader, form: Guarded, session: Session) -> Response:
    """Keeps them; they hold from the next message on."""
    given, faults = read(PreferencesForm, fields_of(form, "locale"), visitor)
    choices: dict[Channel, dict[Kind, Pace]] = {}
    for channel in request.app.state.voice.channels:
        for kind in Kind:
            name = f"{channel}-{kind}"
            if (value := fields_of(form, name).get(name)) is None:
                continue  # stays as it is
            chosen, wrong = read(PaceForm, {"pace": value}, visitor)
            if chosen is None:
                faults = {**faults, name: wrong["pace"]}
            else:
                choices.setdefault(Channel(channel), {})[kind] = chosen.pace
    if given is None or faults:
        return await _page(request, visitor, session, faults)
    await choose(request, session, visitor.access, Choice(locale=given.locale, choices=choices))
    return pages_of(request).go(visitor, "/preferences?done=yes")


@router.get("/inbox/brought")
async def brought(request: Request, visitor: Reader, session: Session, page: Page) -> Response:
    """What went to one's phone or mailbox, and what came of it."""
    listed = await read_mine(session, visitor.access, page)
    return pages_of(request).show(
        visitor, "inbox/brought.html", rows=listed.items, following=listed.next, channels=CHANNELS, states=STATES,
        purposes={purpose: KINDS[kind] for purpose, kind in KIND_OF.items()},
    )  # fmt: skip


async def _page(
    request: Request, visitor: Visitor, session: Session, faults: Faults, *, done: bool = False
) -> Response:
    chosen = await read_preferences(request, session, visitor.access)
    return pages_of(request).show(
        visitor, "inbox/preferences.html", 422 if faults else 200, chosen=chosen, faults=faults, done=done,
        channels=CHANNELS, kinds=KINDS,
        paces=[(pace.value, visitor.say(words)) for pace, words in PACES.items()],
    )  # fmt: skip
