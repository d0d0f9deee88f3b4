"""What whoever has number and tracking code may see of an order: where it stands, in plain words."""

import secrets
from typing import Any

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from requests_service.domain.plain_words import EN, ZH
from requests_service.domain.statuses import Status
from requests_service.tables import Request, Step

# Compared where there is no such order, so that a miss takes as long as a hit.
_NONE = "------"


def track(request: Request | None, code: str) -> dict[str, Any] | None:
    """Where an order stands, None for a wrong code or no such order."""
    given = code.strip().upper().encode()
    right = secrets.compare_digest(given, (request.tracking_code if request else _NONE).encode())
    if request is None or not right:
        return None
    status = Status(request.status)
    return {
        "number": request.number,
        "tenant": request.tenant,
        "status": status,
        "words": {"zh-CN": ZH[status], "en": EN[status]},
        "submitted_at": request.submitted_at,
        "confirm_by": request.confirm_due if status == Status.COMPLETED else None,
    }


async def passed_into(session: AsyncSession, request: Request) -> dict[str, Any] | None:
    """The village and number under which a transferred order goes on; None for any other, and for an erased one."""
    if request.status != Status.TRANSFERRED:
        return None
    rows = await session.exec(select(Step.details).where(Step.request_id == request.id, Step.step == "transferred"))
    said = rows.one()
    return {name: said[name] for name in ("tenant", "village", "number")} if said else None
