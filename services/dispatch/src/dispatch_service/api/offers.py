"""Taking or passing on what is offered: claim, decline, accept."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi import Request as Call

from dispatch_service.api.acting import WORKERS, own, person_of, settings_of, shown
from dispatch_service.domain.errors import AlreadyClaimed, NotHeld
from dispatch_service.handlers import asking, claiming
from dispatch_service.handlers.claiming import Standing
from dispatch_service.queries.directory import volunteer
from dispatch_service.tables import Offer
from lianhu_kit.access import Access, permits
from lianhu_kit.api import Body, Session, Words
from lianhu_kit.database import Database, enter_scope
from lianhu_kit.hot import HotTransaction
from lianhu_kit.problems import NotFound

router = APIRouter(prefix="/v1/assignments/{assignment_id}", tags=["offers"])
Workers = Annotated[Access, permits(*WORKERS)]
LOOKS = 2  # who was overtaken between look and lock sees in the second why


class Passing(Body):
    """Why somebody passes, if they like to say."""

    reason: Words | None = None


@router.post("/claim")
async def claim(call: Call, assignment_id: UUID, access: Workers) -> dict[str, Any]:
    """Takes a place: exactly `places` claims win. The winner's repeat is 200 again.

    404 what was not offered to the caller; 409 `already-claimed`, `at-capacity`, `offer-ended`, `not-eligible`,
    `illegal-transition`.
    """
    person, settings = person_of(access), settings_of(call)
    database: Database = call.app.state.database
    for _ in range(LOOKS):
        seen = await _standing(database, access, assignment_id, person)
        claiming.refuse(seen, settings)
        async with database.transaction() as session:
            await enter_scope(session, seen.scope, person)
            if await claiming.claim(session, seen, person):
                return await shown(call, access, session, assignment_id)
    raise AlreadyClaimed


async def _standing(database: Database, access: Access, assignment: UUID, person: UUID) -> Standing:
    """The first grant's view that finds the assignment; NotFound where none does."""
    for grant in access.grants:
        async with HotTransaction(database, grant.scope, person) as hot:
            seen = await claiming.standing(hot, grant.scope, assignment, person)
        if seen is not None:
            return seen
    raise NotFound()


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
