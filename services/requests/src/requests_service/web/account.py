"""One's own account: the mail address to which messages go where one chose so."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, StringConstraints
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.api import Session
from lianhu_kit.database import enter_scope
from lianhu_kit.problems import NotFound
from lianhu_web.faults import read
from lianhu_web.guarding import Guarded, fields_of
from lianhu_web.pages import pages_of
from lianhu_web.visiting import Visitor, needs
from lianhu_web.words import N_
from requests_service.tables import Person

router = APIRouter(include_in_schema=False)
Owner = Annotated[Visitor, needs()]
NO_MAIL = N_("This is no mail address. A right one looks like name@village.example.")
_KEEP = text("SELECT keep_my_mail(:mail)")


class MailForm(BaseModel):
    """A mail address (RFC 5321, section 4.5.3.1: at most 254 characters), or none."""

    mail: Annotated[str, StringConstraints(max_length=254, pattern=r"^[^<>@\s,;:]+@[^<>@\s,;:]+\.[^<>@\s,;:]+$")] | None = None  # fmt: skip # noqa: E501


async def mail_of(session: AsyncSession, visitor: Visitor) -> str:
    """The visitor's own address; empty where there is none, or no account behind the sign-in."""
    await enter_scope(session, "", visitor.person)
    person = await session.get(Person, visitor.person)
    return (person.mail if person else None) or ""


@router.get("/sign-in/mail")
async def shown(request: Request, visitor: Owner, session: Session, done: str = "") -> Response:
    """The address as it is."""
    typed = {"mail": await mail_of(session, visitor)}
    return pages_of(request).show(visitor, "signing_in/mail.html", typed=typed, faults={}, done=bool(done))


@router.post("/sign-in/mail")
async def keep(request: Request, visitor: Owner, form: Guarded, session: Session) -> Response:
    """Keeps the address, or takes it away where the field is empty; NotFound without an account behind the sign-in."""
    typed = fields_of(form, "mail")
    given, faults = read(MailForm, typed, visitor)
    if given is None:
        wrong = {name: visitor.say(NO_MAIL) for name in faults}
        return pages_of(request).show(visitor, "signing_in/mail.html", 422, typed=typed, faults=wrong, done=False)
    await enter_scope(session, "", visitor.person)
    if not (await session.execute(_KEEP, {"mail": given.mail})).scalar():
        raise NotFound()
    return pages_of(request).go(visitor, "/sign-in/mail?done=yes")
