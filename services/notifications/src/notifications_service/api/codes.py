"""Codes for signing in: brought to a phone at once, at the call of the requests service alone."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import StringConstraints

from lianhu_kit.access import Access, permits
from lianhu_kit.api import Body
from notifications_service.handlers import phone

router = APIRouter(include_in_schema=False)
Service = Annotated[Access, permits("service")]


class CodeBody(Body):
    """A phone, the code for it, and the language to say it in."""

    phone: Annotated[str, StringConstraints(pattern=r"^\+?[0-9]{5,20}$")]
    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
    locale: Literal["zh-CN", "en"] = "zh-CN"


@router.post("/internal/codes", status_code=202)
async def bring_code(request: Request, body: CodeBody, access: Service) -> dict[str, Any]:
    """Hands a code over to whoever brings it to the phone. Nothing of it is kept; 503 where nobody takes it."""
    await phone.send_code(request.app.state.phones, body.phone, body.code, body.locale)
    return {"taken": True}
