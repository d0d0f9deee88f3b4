"""Taking or passing on what is offered: claim, decline, accept."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi import Request as Call

from dispatch_service.api.acting import WORKERS, own, person_of, settings_of, shown
from dispatch_service.domain.errors import NotHeld
from dispatch_service.handlers import asking, claiming
from dispatch_service.handlers.claiming import Standing
from dispatch_service.queries.directory import volunteer
from dispatch_service.tables import Offer
from lianhu_kit.access import Access, permits
from lianhu_kit.api import Body, Session, Words
from lianhu_kit.problems import NotFound
from lianhu_kit.tokens import Grant

router = APIRouter(prefix="/v1/assignments/{assignment_id}", tags=["offers"])
Workers = Annotated[Access, permits(*WORKERS)]


class Passing(Body):
    """Why somebody passes, if they like to say."""

    reason: Words | None = None


@router.post("/claim")
async def claim(call: Call, assignment_id: UUID, access: Workers, session: Session) -> dict[str, Any]:
    """Takes a place: exactly `places` claims win. The winner's repeat is 200 again.

    404 what was not offered to the caller; 409 `already-claimed`, `at-capacity`, `offer-ended`, `not-eligible`,
    `illegal-transition`.
    """
    person = person_of(access)

    async def load(_grant: Grant) -> Standing | None:
        return await claiming.standing(session, assignment_id, person)

    _, seen = await access.locate(session, load)
    await claiming.claim(session, settings_of(call), seen, person)
    return await shown(call, access, session, assignment_id)


@router.post("/decline")
async def decline(
    call: Call, assignment_id: UUID, access: Workers, session: Session, body: Passing | None = None
) -> dict[str, Any]:
    """Passes on an offer, or on being asked by name; free of cost and reasons. The repeat is 200 again."""
    person = person_of(access)
    request, assignment = await own(access, session, assignment_id)
    offer = await session.get(Offer, (assignment_id, person), populate_existing=True)
    if offer is None:
        raise NotFound()
    words = body.reason if body else None
    await asking.decline(session, settings_of(call), request, assignment, offer, words=words, by=person)
    return await shown(call, access, session, assignment_id)


@router.post("/accept")
async def accept(call: Call, assignment_id: UUID, access: Workers, session: Session) -> dict[str, Any]:
    """Accepts an assignment that was made to the caller by name. The repeat is 200 again."""
    request, assignment = await own(access, session, assignment_id)
    person = await volunteer(session, person_of(access))
    if person is None:
        raise NotHeld
    await asking.accept(session, request, assignment, person, settings_of(call))
    return await shown(call, access, session, assignment_id)
