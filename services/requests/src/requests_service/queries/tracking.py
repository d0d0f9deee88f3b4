"""What whoever has number and tracking code may see of an order: where it stands, in plain words."""

import secrets
from typing import Any

from requests_service.domain.plain_words import EN, ZH
from requests_service.domain.statuses import Status
from requests_service.tables import Request

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
