"""`/v1/parked`: the calls with which an operator looks at parked events of a service and decides on them."""

import base64
from datetime import datetime
from heapq import nlargest
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit import parked
from lianhu_kit.access import Access, permits
from lianhu_kit.api import Body, DivisionCode, Page, Session, Words, page_of
from lianhu_kit.database import enter_scope
from lianhu_kit.parking import Parked, unpacked
from lianhu_kit.problems import Conflict, NotFound

router = APIRouter(tags=["parked events"])
Operator = Annotated[Access, permits("operator")]
ParkedId = Annotated[int, Path(ge=1, lt=2**63)]
# Of a value that nobody could read so much is shown: enough to see what it is.
SHOWN_BYTES = 16 * 1024


class Reason(Body):
    """Why it is decided so; kept for good with who decided."""

    reason: Words


class DecisionShown(BaseModel):
    """What was decided; `by` is a person's id, or `local operator` for the command on the machine itself."""

    model_config = ConfigDict(from_attributes=True)
    verdict: parked.Verdict
    reason: str
    by: str
    at: datetime


class ParkedItem(BaseModel):
    """An event that the service could not take in; `key` is empty and `sequence` null where it stands alone."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    topic: str
    key: str
    sequence: int | None
    type: str | None
    tenant: str
    reason: str
    parked_at: datetime
    state: parked.State
    decision: DecisionShown | None


class ParkedItems(BaseModel):
    """A page of parked events, newest first."""

    items: list[ParkedItem]
    next: str | None = None


class Raw(BaseModel):
    """Bytes as they came: as text where they are UTF-8, else as base64; at most the first 16 KiB of `size`."""

    size: int
    text: str | None = None
    base64: str | None = None


class RawHeader(BaseModel):
    """A header of a record."""

    name: Raw
    value: Raw | None


class RawRecord(BaseModel):
    """A record that could not be read."""

    key: Raw | None
    headers: list[RawHeader]
    value: Raw | None


class ParkedWhole(ParkedItem):
    """With its content: `event` where it could be read, else `record`; neither where it went back into its order."""

    event_id: str | None
    generation: int
    partition: int | None
    offset: int | None
    event: dict[str, Any] | None
    record: RawRecord | None


@router.get("/v1/parked", response_model_exclude_unset=True)
async def read_parked(
    session: Session,
    access: Operator,
    page: Page,
    tenant: Annotated[DivisionCode | None, Query(description="under one code; without it, under all of theirs")] = None,
    topic: Annotated[str | None, Query(max_length=249, description="of one topic")] = None,
    key: Annotated[str | None, Query(max_length=500, description="of one key")] = None,
) -> ParkedItems:
    """The events that wait for a decision, or for the worker to carry it out; those that name no village too."""
    scopes = [grant.scope for grant in access.grants] if tenant is None else [_within(access, tenant)]
    place = page.place(int)
    before = max(0, min(place[0], 2**63 - 1)) if place else None
    rows = dict[int, parked.Shown]()
    for scope in scopes:
        await enter_scope(session, scope, access.person)
        found = await parked.newest(session, before=before, topic=topic, key=key, limit=page.limit + 1)
        rows |= {row.id: row for row in found}
    latest = nlargest(page.limit + 1, rows.values(), key=lambda row: row.id)
    last = [latest[page.limit - 1].id] if len(latest) > page.limit else None
    return ParkedItems(**page_of([ParkedItem.model_validate(row) for row in latest], page.limit, last))


@router.get("/v1/parked/{parked_id}")
async def read_parked_event(parked_id: ParkedId, session: Session, access: Operator) -> ParkedWhole:
    """Everything about an event that is or was parked. Events carry no personal data; what is no event may."""
    _, found = await access.locate(session, lambda _: parked.whole(session, parked_id))
    return whole_of(found)


@router.post("/v1/parked/{parked_id}/retry", status_code=202)
async def retry(parked_id: ParkedId, body: Reason, session: Session, access: Operator) -> ParkedWhole:
    """Has the worker try the event again, and all that is parked behind it, in order; what fails is parked anew.

    409 `already-decided` where somebody decided otherwise.
    """
    return await _decide(session, access, parked_id, "retry", body.reason)


@router.post("/v1/parked/{parked_id}/drop", status_code=202)
async def drop(parked_id: ParkedId, body: Reason, session: Session, access: Operator) -> ParkedWhole:
    """Has the worker pass the event by, for good; what is parked behind it goes on. Its content is kept.

    409 `already-decided` where somebody decided otherwise.
    """
    return await _decide(session, access, parked_id, "drop", body.reason)


async def _decide(
    session: AsyncSession, access: Access, parked_id: int, verdict: parked.Verdict, reason: str
) -> ParkedWhole:
    by = str(access.person or UUID(int=0))
    try:
        _, found = await access.locate(session, lambda _: parked.decide(session, parked_id, verdict, reason, by))
    except parked.AlreadyDecided as other:
        made = other.decision
        raise Conflict(
            "already-decided",
            f"This event was decided on at {made.at.isoformat(timespec='seconds')}: {made.verdict}. "
            "What fails again is parked anew, under another id.",
            verdict=made.verdict,
        ) from None
    except NotFound:
        raise NotFound(
            "No such event is parked. It may have gone on with another of its key: see GET /v1/parked."
        ) from None
    return whole_of(found)


def _within(access: Access, tenant: str) -> str:
    grant = access.covering(tenant)
    return max(tenant[:12], grant.scope, key=len)


def whole_of(found: parked.Whole) -> ParkedWhole:
    """A parked event as it is shown, by these calls and by the command."""
    content = found.content
    stored = content is not None and content.raw_headers is None and not content.headers
    return ParkedWhole(
        **ParkedItem.model_validate(found.shown).model_dump(),
        event_id=found.event_id,
        generation=found.generation,
        partition=content.at_partition if content else None,
        offset=content.at_offset if content else None,
        event=orjson.loads(content.value or b"null") if content and stored else None,
        record=_record(content) if content and not stored else None,
    )


def _record(content: Parked) -> RawRecord:
    kept = content.raw_headers
    headers = unpacked(kept) if kept is not None else [(n, v.encode()) for n, v in content.headers.items()]
    return RawRecord(
        key=_raw(content.raw_key),
        headers=[RawHeader(name=_some(name.encode(errors="surrogatepass")), value=_raw(v)) for name, v in headers],
        value=_raw(content.value),
    )


def _raw(value: bytes | None) -> Raw | None:
    return None if value is None else _some(value)


def _some(value: bytes) -> Raw:
    shown = value[:SHOWN_BYTES]
    try:
        return Raw(size=len(value), text=shown.decode())
    except UnicodeDecodeError:
        return Raw(size=len(value), base64=base64.b64encode(shown).decode())
