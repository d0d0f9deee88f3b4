"""Photos of work: sent on to requests and listed from there with the holder's own token, kept nowhere else."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from starlette.datastructures import FormData, UploadFile

from lianhu_web.words import N_

LARGEST = 8 * 1024 * 1024
# The most that a form with a photo takes: what stands around the file counts too.
LARGEST_FORM = LARGEST + 64 * 1024
FORM_SECONDS = 60.0
SECONDS = 20.0
LIST_SECONDS = 3.0
SHOWS = {"order": N_("what it is about"), "completion": N_("what was done")}
# Why requests makes no photo of a file, as it says it; here for the catalogues of all pages.
SENTENCES = {
    text: text
    for text in (
        N_("There is no photo in it. Choose one and send it again."),
        N_("This is no photo that can be read. Send a JPEG, PNG or WebP file."),
        N_("Photos of the kind HEIC cannot be read here. Set the camera to JPEG, or send a screenshot of the photo."),
        N_("The photo is over 8 MB. Send a smaller one, or a screenshot of it."),
        N_("The photo has too many points. Take it with a lower resolution, or send a screenshot of it."),
        N_("Too many photos are being read at the moment. Send it again in a minute."),
        N_("The order has ended; no photo is added any more."),
        N_("There are three photos already. Take one away first."),
        N_("Photos are added by the resident, the desk and whoever holds the work."),
    )
}
NOT_YOURS = N_("No photo of yours is taken for this order any more.")
AWAY = N_("Photos cannot be sent at the moment. Try again in a minute.")


@dataclass(frozen=True)
class PassedOn:
    """Whether a photo is with requests now; else why not, and whether another file would do."""

    sent: bool = False
    why: str = ""
    wrong_file: bool = False


@dataclass(frozen=True)
class Listed:
    """The photos of an order, for whoever may see them; none where they cannot be read."""

    photos: list[dict[str, Any]] = field(default_factory=list)


async def file_of(form: FormData) -> bytes:
    """The file in a form's field `photo`; empty where there is none."""
    file = form.get("photo")
    return await file.read() if isinstance(file, UploadFile) else b""


async def pass_on(requests_url: str, token: str, request_id: UUID, content: bytes) -> PassedOn:
    """Sends a photo to `POST <requests>/v1/requests/{id}/attachments` as the caller; never raises for the network."""
    try:
        async with httpx.AsyncClient(base_url=requests_url, timeout=SECONDS, trust_env=False) as client:
            answer = await client.post(
                f"/v1/requests/{request_id}/attachments",
                headers={"Authorization": f"Bearer {token}"},
                files={"photo": ("photo", content)},
            )
        told = {} if answer.is_success else answer.json()
    except (httpx.HTTPError, ValueError):
        return PassedOn(why=AWAY)
    if answer.is_success:
        return PassedOn(sent=True)
    if answer.status_code == 422:
        why = next((error["detail"] for error in told.get("errors", ())), "")
        return PassedOn(why=SENTENCES.get(why, AWAY), wrong_file=True)
    known = SENTENCES.get(str(told.get("detail", "")))
    return PassedOn(why=known or (NOT_YOURS if answer.status_code in (403, 404) else AWAY))


async def photos_of(requests_url: str, token: str, request_id: UUID) -> Listed:
    """Asks for the photos of an order as the caller."""
    try:
        async with httpx.AsyncClient(base_url=requests_url, timeout=LIST_SECONDS, trust_env=False) as client:
            path = f"/v1/requests/{request_id}/attachments"
            answer = await client.get(path, headers={"Authorization": f"Bearer {token}"})
        return Listed(answer.json()["items"]) if answer.is_success else Listed()
    except (httpx.HTTPError, ValueError):
        return Listed()
