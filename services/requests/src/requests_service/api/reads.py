"""Reading requests: lists, one, its story, its duplicates, counts, and tracking without a token."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi import Request as Call
from pydantic import StringConstraints

from lianhu_kit.access import Access, permits, public
from lianhu_kit.api import DivisionCode, Page, Session, encode_cursor
from lianhu_kit.database import enter_scope, now
from lianhu_kit.identifiers import number_is_valid
from lianhu_kit.problems import FieldError, Invalid, NotFound
from requests_service.api.bodies import GridCode, ServiceCode
from requests_service.api.doors import Rates, Zone, address_of
from requests_service.api.endings import person_of
from requests_service.domain.duplicates import LEADERS, Matter, may_be_the_same
from requests_service.domain.spans import edge
from requests_service.domain.statuses import Status
from requests_service.queries import counts, requests, story
from requests_service.queries.reach import by_strength, find, villages_of
from requests_service.queries.tracking import passed_into, track
from requests_service.queries.unseen import show_unseen
from requests_service.tables import Request

router = APIRouter(tags=["reads"])
READERS = (
    "clerk",
    "branch_secretary",
    "grid_leader",
    "supervisor",
    "grid_worker",
    "volunteer",
    "resident",
    "integrator",
)
Reader = Annotated[Access, permits(*READERS)]
Clerk = Annotated[Access, permits("clerk")]
Counter = Annotated[Access, permits("clerk", "branch_secretary", "grid_leader", "supervisor", "operator", "admin")]
Number = Annotated[str, StringConstraints(pattern=r"^[0-9]{8}$")]
Text = Annotated[str, StringConstraints(max_length=40)]


@router.get("/v1/requests")
async def list_requests(
    session: Session,
    access: Reader,
    page: Page,
    tenant: DivisionCode | None = None,
    status: Annotated[list[Status] | None, Query(max_length=15)] = None,
    service: ServiceCode | None = None,
    grid: GridCode | None = None,
    number: Number | None = None,
) -> dict[str, Any]:
    """The requests that the caller's strongest role reaches, newest first; residents see their own, of all villages.

    404 for a `tenant` or `grid` out of reach.
    """
    grants = [
        grant
        for grant in by_strength(access)
        if grant.role == "resident" or (_meets(grant.at, tenant) and _meets(grant.at, grid))
    ]
    if not grants:
        raise NotFound()
    grant = grants[0]
    before = page.after_id
    scopes = await _own_villages(session, access, tenant) if grant.role == "resident" else [grant.scope]
    if not scopes and not _meets(grant.at, tenant):
        raise NotFound()  # a resident of another village asks for one in which they have nothing
    rows: list[Request] = []
    for scope in scopes:
        await enter_scope(session, scope, access.person)
        rows += await requests.page(
            session,
            grant,
            access.person,
            scope=scope,
            tenant=tenant,
            statuses=[item.value for item in status or ()],
            service=service,
            grid=grid,
            number=number,
            before=before,
            limit=page.limit,
        )
    rows.sort(key=lambda row: row.id, reverse=True)
    shown = requests.state_of if grant.role == "integrator" else requests.summary_of
    answer: dict[str, Any] = {"items": [shown(row) for row in rows[: page.limit]]}
    if len(rows) > page.limit:
        answer["next"] = encode_cursor([rows[page.limit - 1].id])
    return answer


def _meets(at: str, code: str | None) -> bool:
    return code is None or code.startswith(at) or at.startswith(code)


async def _own_villages(session: Session, access: Access, tenant: str | None) -> list[str]:
    villages = await villages_of(session, person_of(access))
    return [village for village in villages if tenant is None or village.startswith(tenant)]


@router.get("/v1/requests/{request_id}")
async def get_request(request_id: UUID, session: Session, access: Reader) -> dict[str, Any]:
    """One request as the caller's role may see it; names and phones are masked."""
    grant, request = await find(session, access, request_id)
    return await requests.read(session, request, grant, person_of(access))


@router.get("/v1/requests/{request_id}/timeline")
async def timeline(request_id: UUID, session: Session, access: Reader) -> dict[str, Any]:
    """The request's story in steps, people masked."""
    await find(session, access, request_id)
    return {"steps": await story.timeline(session, request_id)}


@router.get("/v1/requests/{request_id}/duplicates")
async def duplicates(request_id: UUID, session: Session, access: Clerk) -> dict[str, Any]:
    """Open requests that may be the same matter: same household and service, or same service and grid within a day."""
    _, request = await find(session, access, request_id)
    found = await requests.alike(session, request, sorted(LEADERS))
    mine = _matter(request)
    return {"items": [requests.summary_of(other) for other in found if may_be_the_same(mine, _matter(other))]}


def _matter(request: Request) -> Matter:
    return Matter(request.service, request.household, request.grid, request.submitted_at)


@router.get("/v1/track/{number}", dependencies=[public()])
async def track_request(call: Call, number: Text, tenant: Text, code: Text, session: Session) -> dict[str, Any]:
    """Where an order stands, by its number and tracking code. Rate limited; every miss gets the same 404.

    One that was passed to another village says where it is now: `into`, to be tracked there with the same code.
    """
    rates: Rates = call.app.state.rates
    await rates.hit("tracks", address_of(call))
    if not number_is_valid(number) or len(tenant) != 12 or not tenant.isdigit() or not tenant.isascii():
        raise NotFound(MISS)
    await enter_scope(session, tenant)
    await show_unseen(session)
    request = await requests.by_number(session, tenant, number)
    found = track(request, code)
    if request is None or found is None:
        raise NotFound(MISS)
    into = await passed_into(session, request)
    return {**found, "into": into} if into else found


MISS = "No order has this village, number and tracking code together. Check all three on your slip."


@router.get("/v1/counts")
async def count(
    session: Session,
    access: Counter,
    zone: Zone,
    org: DivisionCode,
    start: Annotated[Text | None, Query(alias="from")] = None,
    end: Annotated[Text | None, Query(alias="to")] = None,
) -> dict[str, Any]:
    """Requests under a unit by status, of those submitted in a span.

    `from` and `to` are local days (`to` with its whole day) or moments (`to` itself not in it).
    """
    grant = next((grant for grant in by_strength(access) if org.startswith(grant.at)), None)
    if grant is None:
        raise NotFound()
    edges, errors = {}, []
    for name, text in (("from", start), ("to", end)):
        try:
            edges[name] = edge(text, zone, end=name == "to") if text else None
        except ValueError as error:
            errors.append(FieldError(name, str(error)))
    if errors:
        raise Invalid(errors)
    await enter_scope(session, grant.scope, access.person)
    found = await counts.by_status(session, org, edges["from"], edges["to"])
    return {"org": org, "by_status": found, "as_of": now(session)}
