"""The shape of every trimmed event, and how it becomes an entry of a fact."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from reporting_service.domain.moments import micros


class Trimmed(BaseModel):
    """The fields that reporting reads; all others are left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class OfRequest(Trimmed):
    """An event that is part of a request's story; without a request id it is of no concern here."""

    request_id: UUID | None


def compact(data: Trimmed) -> dict[str, Any]:
    """The fields as they are kept: times in microseconds, ids as text, nothing for null, no request id."""
    kept: dict[str, Any] = {}
    for name, value in data.__dict__.items():
        if value is None or name == "request_id":
            continue
        if isinstance(value, datetime):
            kept[name] = micros(value)
        elif isinstance(value, UUID):
            kept[name] = str(value)
        elif isinstance(value, Trimmed):
            kept[name] = compact(value)
        else:
            kept[name] = value
    return kept
