"""Speaking with the resident, and reading how to reach them: every reading is kept for good."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlmodel import select

from lianhu_kit.problems import Conflict, Forbidden, NotFound
from requests_service.domain import access
from requests_service.domain.statuses import OPEN, Move, after
from requests_service.events.published import Contacted
from requests_service.handlers import clock
from requests_service.handlers.case import Case
from requests_service.handlers.sampling import Draw
from requests_service.tables import Contact, ContactRead, Holder


async def contacted(case: Case, *, how: Literal["phone", "visit", "desk"]) -> None:
    """Notes a human contact; the first one meets the contact limit. IllegalTransition once the work has ended."""
    after(case.status, Move.CONTACT)
    await first_contact(case, how=how, at=case.now)
    await case.save()


async def first_contact(case: Case, *, how: Literal["phone", "visit", "desk"], at: datetime) -> None:
    """The first contact since the contact limit began; later ones change nothing."""
    if case.request.contacted_at is None and case.status in OPEN:
        case.request.contacted_at = at
        case.request.version += 1
        case.tell(Contacted, how=how, at=at)
        await clock.contact_met(case)


async def read_contact(case: Case, *, role: str, person: UUID, draw: Draw) -> dict[str, Any]:
    """Who ordered, who is served, where; to whom the right is given, and with a line in the audit log.

    Raises as `require_right`.
    """
    request = case.request
    await require_right(case, role=role, person=person, draw=draw)
    case.session.add(ContactRead(request_id=request.id, tenant=request.tenant, person=person, role=role, at=case.now))
    contact = await case.session.get(Contact, request.id)
    return _details(contact) if contact else {}


async def right_of(case: Case, *, role: str, person: UUID, draw: Draw | None = None) -> access.Contact:
    """Whether somebody has the right to what tells where people live: contact details and photos.

    Without a draw nothing is open for being drawn to be called back.
    """
    request = case.request
    held = await case.session.exec(
        select(Holder.round, Holder.state).where(Holder.request_id == request.id, Holder.person == person)
    )
    mine = list(held)
    seen = access.Seen(
        status=case.status,
        holds=(request.round, "held") in mine,
        held=bool(mine),
        own=person in (request.reporter, request.resident),
        first_grade=request.first_grade,
        last_grade=request.last_grade,
        sampled=role == "supervisor" and draw is not None and await draw.holds(case),
    )
    return access.contact(role, seen)


async def require_right(case: Case, *, role: str, person: UUID, draw: Draw | None = None) -> None:
    """Raises Conflict not-yet while a claim may be on its way here, Forbidden where the right ended or never was."""
    match await right_of(case, role=role, person=person, draw=draw):
        case access.Contact.UNKNOWN:
            raise NotFound()
        case access.Contact.NOT_YET:
            raise Conflict("not-yet", "Your claim has not arrived here yet. If you hold this, ask again in a moment.")
        case access.Contact.OVER:
            raise Forbidden("The work has ended, and with it the right to these details.", type="contact-closed")
        case access.Contact.NO:
            raise Forbidden("Your role does not open the contact details of this request as it stands.")
        case access.Contact.YES:
            return


def _details(contact: Contact) -> dict[str, Any]:
    guardian = None
    if contact.guardian_name:
        guardian = {
            "name": contact.guardian_name,
            "phone": contact.guardian_phone,
            "consent_at": contact.guardian_consent_at,
        }
    return {
        "name": contact.name,
        "phone": contact.phone,
        "relation": contact.relation,
        "reach": contact.reach,
        "address": contact.address,
        "served_name": contact.served_name,
        "guardian": guardian,
    }
