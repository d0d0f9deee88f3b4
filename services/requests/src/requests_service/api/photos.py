"""Photos of an order: sent in one a call, listed, looked at, taken away."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from lianhu_kit.access import Access, permits
from lianhu_kit.api import Session
from lianhu_kit.door import Upload
from lianhu_kit.problems import NotFound
from lianhu_web.photos import FORM_SECONDS, LARGEST_FORM, file_of
from requests_service.api.endings import person_of
from requests_service.handlers import photos
from requests_service.handlers.case import Case
from requests_service.handlers.contacting import require_right
from requests_service.queries.photos import photos_of, picture_of
from requests_service.queries.reach import find, find_to_see_contact

router = APIRouter(prefix="/v1/requests/{request_id}/attachments", tags=["photos"])
WHO = ("clerk", "branch_secretary", "grid_leader", "supervisor", "grid_worker", "volunteer", "resident")
Person = Annotated[Access, permits(*WHO)]
UPLOADS = tuple(
    Upload(path, LARGEST_FORM, FORM_SECONDS, frozenset({b"multipart/form-data"}))
    for path in (
        "/v1/requests/{request_id}/attachments", "/track/photos", "/track/{request_id}/photos",
        "/desk/{request_id}/photos",
    )
)  # fmt: skip
_FORM = {
    "type": "object",
    "required": ["photo"],
    "properties": {"photo": {"type": "string", "format": "binary"}},
}
# A picture is looked at, never run: no script of it, no frame around it, no copy of it on the way.
PICTURE_HEADERS = {
    "Content-Disposition": 'inline; filename="photo.jpg"',
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "sandbox",
    "Cache-Control": "private, no-store",
}


async def receive(request: Request, access: Access, request_id: UUID, content: bytes) -> dict[str, Any]:
    """Keeps a photo of the caller's; whether they may add one is asked before the work and again with it."""
    database, person = request.app.state.database, person_of(access)
    async with database.transaction() as session:
        grant, order = await find(session, access, request_id)
        await photos.purpose_of(Case(session, order, person), grant.role, person)
    saved = await request.app.state.reencode(content)
    async with database.transaction() as session:
        grant, order = await find(session, access, request_id, lock=True)
        case = Case(session, order, person)
        return await photos.add(case, saved, await photos.purpose_of(case, grant.role, person), person)


async def picture(session: Session, access: Access, request_id: UUID, wanted: UUID) -> Response:
    """One photo to whoever has the right to the contact details; NotFound where there is none."""
    grant, order = await find_to_see_contact(session, access, request_id)
    await require_right(Case(session, order, access.person), role=grant.role, person=person_of(access))
    found = await picture_of(session, order.id, wanted)
    if found is None:
        raise NotFound()
    return Response(found[1], media_type=found[0], headers=PICTURE_HEADERS)


@router.post(
    "", status_code=201, openapi_extra={"requestBody": {"content": {"multipart/form-data": {"schema": _FORM}}}}
)
async def send_in(request: Request, request_id: UUID, access: Person) -> dict[str, Any]:
    """Adds a photo: one JPEG, PNG or WebP file of up to 8 MB in the field `photo`, three for each purpose.

    The resident's and the desk's show the order, those of whoever holds the work its completion. It is saved anew,
    without what the camera wrote beside it; the same file sent again is the one that is there.
    409 `order-ended`, `photos-full`, 403 `not-yours`.
    """
    form = await request.form(max_files=1, max_fields=5)
    return await receive(request, access, request_id, await file_of(form))


@router.get("")
async def list_photos(request_id: UUID, session: Session, access: Person) -> dict[str, Any]:
    """The photos of an order without their pictures, to whoever has the right to its contact details."""
    grant, order = await find_to_see_contact(session, access, request_id)
    await require_right(Case(session, order, access.person), role=grant.role, person=person_of(access))
    return {"items": await photos_of(session, order.id)}


@router.get("/{attachment_id}", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
async def look(request_id: UUID, attachment_id: UUID, session: Session, access: Person) -> Response:
    """One picture, as a JPEG that nobody on the way keeps."""
    return await picture(session, access, request_id, attachment_id)


@router.delete("/{attachment_id}", status_code=204)
async def take_away(request_id: UUID, attachment_id: UUID, session: Session, access: Person) -> None:
    """Takes a photo away for good: who added it, the resident of the order, the desk."""
    grant, order = await find(session, access, request_id, lock=True)
    person = person_of(access)
    await photos.remove(Case(session, order, person), attachment_id, role=grant.role, person=person)
