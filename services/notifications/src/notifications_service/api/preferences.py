"""What a person chooses for themselves: the language, and what is brought by which channel, and when."""

from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy import text

from lianhu_kit.access import Access, permits
from lianhu_kit.api import Body, Session
from lianhu_kit.database import enter_scope, now
from notifications_service.api.reach import PEOPLE, person_of
from notifications_service.domain.choices import Channel, Kind, Pace, all_of
from notifications_service.queries.people import Chosen, chosen_by

router = APIRouter(tags=["preferences"])
# A choice for one channel leaves the other channel's as it was.
_CHOOSE = text(
    """
    INSERT INTO preferences (person, locale, choices, updated_at)
    VALUES (:person, :locale, CAST(:choices AS jsonb), :now)
    ON CONFLICT (person) DO UPDATE SET locale = excluded.locale, choices = preferences.choices || excluded.choices,
        updated_at = excluded.updated_at
    """
)


class Choice(Body):
    """The language of messages; for each channel that is named, when which kind of message is brought."""

    locale: Literal["zh-CN", "en"]
    choices: dict[Channel, dict[Kind, Pace]] = Field(default_factory=dict)


class Preferences(BaseModel):
    """The language (`chosen` is false where it is the place's own), every choice, and the channels there are here."""

    locale: str
    chosen: bool
    choices: dict[Channel, dict[Kind, Pace]]
    channels: list[Channel]


@router.get("/v1/preferences")
async def read_preferences(
    request: Request, session: Session, access: Annotated[Access, permits(*PEOPLE)]
) -> Preferences:
    """The caller's own preferences."""
    person = person_of(access)
    await enter_scope(session, "", person)
    return _shown(request, (await chosen_by(session, [person])).get(person, Chosen()))


@router.put("/v1/preferences")
async def choose(
    request: Request, session: Session, access: Annotated[Access, permits(*PEOPLE)], body: Choice
) -> Preferences:
    """Chooses for messages from now on; those that came before stay as they are."""
    person = person_of(access)
    await enter_scope(session, "", person)
    values: dict[str, Any] = {
        "person": person, "locale": body.locale, "now": now(session),
        "choices": orjson.dumps(body.model_dump(mode="json")["choices"]).decode(),
    }  # fmt: skip
    await session.execute(_CHOOSE, values)
    return _shown(request, (await chosen_by(session, [person])).get(person, Chosen()))


def _shown(request: Request, chosen: Chosen) -> Preferences:
    voice = request.app.state.voice
    return Preferences(
        locale=voice.language(chosen.locale), chosen=chosen.locale is not None, choices=all_of(chosen.choices),
        channels=[channel for channel in Channel if channel in voice.channels],
    )  # fmt: skip
