"""What was told about a request, to whom, and what became of it: states and reasons, no words and no names."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from lianhu_kit.access import Access, permits
from lianhu_kit.api import DivisionCode, Page, Session, page_of
from lianhu_kit.database import enter_scope
from notifications_service.api.calls import State
from notifications_service.api.reach import PEOPLE, person_of, reaches
from notifications_service.queries import deliveries

router = APIRouter(tags=["deliveries"])


class DeliveryItem(BaseModel):
    """One telling of one thing to one recipient."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    tenant: str
    grid: str | None
    request_id: UUID | None
    number: str | None
    purpose: str
    template: str
    channel: str
    audience: str
    person: UUID | None
    attempt: int
    state: str
    reason: str | None
    outcome: str | None
    event_id: str
    created_at: datetime
    updated_at: datetime


class Deliveries(BaseModel):
    """A page of deliveries, newest first."""

    items: list[DeliveryItem]
    next: str | None = None


class Brought(BaseModel):
    """One thing that was, or will be, brought to the caller's phone or mailbox; its words stand in the inbox."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    number: str | None
    purpose: str
    template: str
    channel: str
    state: str
    reason: str | None
    created_at: datetime
    updated_at: datetime


class BroughtList(BaseModel):
    """A page of what was brought, newest first."""

    items: list[Brought]
    next: str | None = None


@router.get("/v1/deliveries/mine", response_model_exclude_unset=True)
async def read_mine(session: Session, access: Annotated[Access, permits(*PEOPLE)], page: Page) -> BroughtList:
    """What left the house for the caller, and what came of it: `failed` with `unknown` may have arrived."""
    person = person_of(access)
    await enter_scope(session, "", person)
    rows = await deliveries.brought_to_me(session, before=page.after_id, limit=page.limit + 1)
    items = [Brought.model_validate(row) for row in rows]
    last = [rows[page.limit - 1].id] if len(rows) > page.limit else None
    return BroughtList(**page_of(items, page.limit, last))


@router.get("/v1/deliveries", response_model_exclude_unset=True)
async def read_deliveries(
    session: Session,
    access: Annotated[Access, permits("operator", "clerk", "supervisor")],
    page: Page,
    tenant: Annotated[
        DivisionCode | None, Query(description="without it, under the widest of the caller's roles")
    ] = None,
    request: Annotated[UUID | None, Query(description="of one request")] = None,
    state: Annotated[State | None, Query(description="without it, all")] = None,
) -> Deliveries:
    """The deliveries of a place."""
    reach = reaches(access, tenant)[0]
    await enter_scope(session, reach.code, access.person)
    rows = await deliveries.newest(
        session, reach, request=request, state=state, before=page.after_id, limit=page.limit + 1
    )
    items = [DeliveryItem.model_validate(row) for row in rows]
    last = [rows[page.limit - 1].id] if len(rows) > page.limit else None
    return Deliveries(**page_of(items, page.limit, last))
