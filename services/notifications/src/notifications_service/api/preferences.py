"""What a person chooses for themselves."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel
from sqlalchemy import text

from lianhu_kit.access import Access, permits
from lianhu_kit.api import Body, Session
from lianhu_kit.database import enter_scope, now
from notifications_service.api.reach import PEOPLE, person_of
from notifications_service.queries.people import locales

router = APIRouter(tags=["preferences"])
_CHOOSE = text(
    """
    INSERT INTO preferences (person, locale, updated_at) VALUES (:person, :locale, :now)
    ON CONFLICT (person) DO UPDATE SET locale = excluded.locale, updated_at = excluded.updated_at
    """
)


class Choice(Body):
    """The language of messages."""

    locale: Literal["zh-CN", "en"]


class Preferences(BaseModel):
    """The language of messages; `chosen` is false where it is the place's own language."""

    locale: str
    chosen: bool


@router.get("/v1/preferences")
async def read_preferences(
    request: Request, session: Session, access: Annotated[Access, permits(*PEOPLE)]
) -> Preferences:
    """The caller's own preferences."""
    person = person_of(access)
    await enter_scope(session, "", person)
    chosen = (await locales(session, [person])).get(person)
    return Preferences(locale=request.app.state.voice.language(chosen), chosen=chosen is not None)


@router.put("/v1/preferences")
async def choose(session: Session, access: Annotated[Access, permits(*PEOPLE)], body: Choice) -> Preferences:
    """Chooses the language of messages from now on; those that came before stay as they are."""
    person = person_of(access)
    await enter_scope(session, "", person)
    await session.execute(_CHOOSE, {"person": person, "locale": body.locale, "now": now(session)})
    return Preferences(locale=body.locale, chosen=True)
