"""A photo of work that is done: the one that could not be sent with the report, or a further one."""

from fastapi import APIRouter, Request, Response

from dispatch_service.web.tasks import GONE, AssignmentId, Worker, one_of, page_of, send_photo
from lianhu_kit.door import Upload
from lianhu_web.guarding import Guarded
from lianhu_web.pages import pages_of
from lianhu_web.photos import FORM_SECONDS, LARGEST_FORM, SENTENCES, file_of
from lianhu_web.words import N_

router = APIRouter(include_in_schema=False)
UPLOADS = tuple(
    Upload(f"/tasks/{{assignment_id}}/{act}", LARGEST_FORM, FORM_SECONDS, frozenset({b"multipart/form-data"}))
    for act in ("complete", "photo")
)
NO_FILE = N_("There is no photo in it. Choose one and send it again.")


@router.post("/tasks/{assignment_id}/photo")
async def add(request: Request, visitor: Worker, form: Guarded, assignment_id: AssignmentId) -> Response:
    """Sends a photo on to requests, and says where it could not be."""
    content = await file_of(form)
    why = NO_FILE
    if content:
        passed = await send_photo(request, visitor, assignment_id, content)
        if passed.sent:
            return pages_of(request).go(visitor, f"/tasks/{assignment_id}?done=photo")
        why = passed.why
    async with request.app.state.database.transaction() as session:
        row = await one_of(session, visitor, assignment_id)
    if row is None:
        return pages_of(request).show(visitor, "tasks/gone.html", 404, gone=GONE)
    status = 422 if why in SENTENCES else 502
    return await page_of(request, visitor, row, {"photo": visitor.say(why)}, status=status)
