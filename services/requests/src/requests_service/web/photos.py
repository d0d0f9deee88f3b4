"""Pages of photos: added with a slip, to one's own order, at the desk; looked at; taken away."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from lianhu_kit.api import Session
from lianhu_kit.database import enter_scope
from lianhu_kit.problems import NotFound
from lianhu_web.faults import Faults
from lianhu_web.guarding import Fields, Guarded
from lianhu_web.pages import pages_of
from lianhu_web.photos import file_of
from lianhu_web.visiting import Visitor, anyone, needs
from requests_service.api.photos import WHO, picture, receive, take_away
from requests_service.domain.photos import purpose
from requests_service.domain.statuses import Status
from requests_service.handlers import photos
from requests_service.handlers.case import Case
from requests_service.queries.reach import find
from requests_service.queries.unseen import show_unseen
from requests_service.web.desk import one
from requests_service.web.tracking import of_slip, order_page, shown_by_slip
from requests_service.web.words_of_photos import REFUSED, of_photo

router = APIRouter(include_in_schema=False)
Looker = Annotated[Visitor, needs(*WHO)]
Follower = Annotated[Visitor, anyone("resident")]
Resident = Annotated[Visitor, needs("resident")]
Desk = Annotated[Visitor, needs(*one.ROLES)]


@router.get("/order/photos/{request_id}/{photo_id}")
async def look(visitor: Looker, session: Session, request_id: UUID, photo_id: UUID) -> Response:
    """One picture, to whoever has the right to the contact details."""
    return visitor.dress(await picture(session, visitor.access, request_id, photo_id))


@router.post("/track/photos")
async def add_by_slip(request: Request, visitor: Follower, form: Guarded) -> Response:
    """A photo of what the order is about, by whoever has its slip."""
    database = request.app.state.database
    faults: Faults = {}
    async with database.transaction() as session:
        order = await of_slip(request, form, session)
    if order is not None:
        try:
            shows = purpose("resident", Status(order.status), own=True, held=None)
            saved = await request.app.state.reencode(await file_of(form))
            async with database.transaction() as session:
                await enter_scope(session, order.tenant)
                await show_unseen(session)
                case = await Case.lock(session, order.id, visitor.caller.person if visitor.caller else None)
                if case is None:
                    raise NotFound()
                await photos.add(case, saved, shows, case.by)
        except REFUSED as refused:
            faults = of_photo(refused, visitor)
    async with database.transaction() as session:
        return await shown_by_slip(request, visitor, form, session, faults=faults, done=not faults)


@router.post("/track/{request_id}/photos")
async def add_to_own(request: Request, visitor: Resident, form: Guarded, request_id: UUID) -> Response:
    """A photo of what one's own order is about."""
    if faults := await _add(request, visitor, form, request_id):
        async with request.app.state.database.transaction() as session:
            _, order = await find(session, visitor.access, request_id)
            return await order_page(request, visitor, session, order, faults, slip=None)
    return pages_of(request).go(visitor, f"/track/{request_id}?done=yes")


@router.post("/track/{request_id}/photos/{photo_id}/remove")
async def remove_own(
    request: Request, visitor: Resident, form: Guarded, session: Session, request_id: UUID, photo_id: UUID
) -> Response:
    """Takes a photo of one's own order away."""
    await take_away(request_id, photo_id, session, visitor.access)
    return pages_of(request).go(visitor, f"/track/{request_id}?done=yes")


@router.post("/desk/{request_id}/photos")
async def add_at_desk(request: Request, visitor: Desk, form: Guarded, request_id: UUID) -> Response:
    """A photo that came to the desk, or of staff who hold the work."""
    if faults := await _add(request, visitor, form, request_id):
        async with request.app.state.database.transaction() as session:
            return await one.show(request, visitor, session, request_id, faults=faults, at="photos")
    return pages_of(request).go(visitor, f"/desk/{request_id}")


@router.post("/desk/{request_id}/photos/{photo_id}/remove")
async def remove_at_desk(
    request: Request, visitor: Desk, form: Guarded, session: Session, request_id: UUID, photo_id: UUID
) -> Response:
    """Takes a photo away."""
    await take_away(request_id, photo_id, session, visitor.access)
    return pages_of(request).go(visitor, f"/desk/{request_id}")


async def _add(request: Request, visitor: Visitor, form: Fields, request_id: UUID) -> Faults:
    try:
        await receive(request, visitor.access, request_id, await file_of(form))
    except REFUSED as refused:
        return of_photo(refused, visitor)
    return {}
