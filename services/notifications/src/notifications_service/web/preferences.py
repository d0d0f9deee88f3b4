"""What a person chooses of how they are told."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from lianhu_kit.api import Session
from lianhu_web.faults import Faults, read
from lianhu_web.guarding import Guarded, fields_of
from lianhu_web.pages import pages_of
from lianhu_web.visiting import Visitor, needs
from notifications_service.api.preferences import Choice, choose, read_preferences
from notifications_service.api.reach import PEOPLE

router = APIRouter(include_in_schema=False)
Reader = Annotated[Visitor, needs(*PEOPLE)]


class PreferencesForm(BaseModel):
    """The language of messages."""

    locale: Literal["zh-CN", "en"]


@router.get("/preferences")
async def preferences(request: Request, visitor: Reader, session: Session, done: str = "") -> Response:
    """The choices as they are."""
    return await _page(request, visitor, session, {}, done=bool(done))


@router.post("/preferences")
async def keep(request: Request, visitor: Reader, form: Guarded, session: Session) -> Response:
    """Keeps them; they hold from the next message on."""
    given, faults = read(PreferencesForm, fields_of(form, "locale"), visitor)
    if given is None:
        return await _page(request, visitor, session, faults)
    await choose(session, visitor.access, Choice(locale=given.locale))
    return pages_of(request).go(visitor, "/preferences?done=yes")


async def _page(
    request: Request, visitor: Visitor, session: Session, faults: Faults, *, done: bool = False
) -> Response:
    chosen = await read_preferences(request, session, visitor.access)
    return pages_of(request).show(
        visitor, "inbox/preferences.html", 422 if faults else 200, chosen=chosen, faults=faults, done=done
    )
