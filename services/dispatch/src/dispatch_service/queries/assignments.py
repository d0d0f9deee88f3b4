"""Assignments as people see them: one named SQL statement for a page and for a single one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from dispatch_service.domain.reasons import words
from lianhu_kit.divisions import VILLAGE, upper_bound

# A page of assignments with who holds each, newest first. It is cut before anything is joined to it, and its length
# stands in the text: so the server knows that it looks up a few rows, whatever values it plans for.
_PAGE = """
    SELECT a.id, a.request_id, r.number, a.tenant, a.grid, a.service, a.summary, a.state, a.wave, a.places, a.taken,
           a.offered_until, a.limits, a.round, a.route, a.urgent, a.minor, a.asked, a.opened_at, a.supervised_until,
           o.why, o.declined_at IS NULL AS offer_open,
           coalesce((SELECT jsonb_agg(h.person ORDER BY h.claimed_at)
                     FROM holdings h WHERE h.assignment_id = a.id AND h.ended_at IS NULL), '[]') AS held_by
    FROM (SELECT a.* FROM assignments a WHERE {conditions} ORDER BY {order} LIMIT {rows:d}) AS a
    JOIN requests r ON r.id = a.request_id
    LEFT JOIN offers o ON o.assignment_id = a.id AND o.person = CAST(:person AS uuid)
    ORDER BY a.id DESC
"""
# In a village what is open is little, and what somebody was ever offered is much: so from the open ones to the offers.
# OFFSET 0 keeps the planner from turning it round.
_OPEN_HERE = """a.id IN (
        SELECT id FROM assignments WHERE tenant = :scope AND state IN ('offered', 'assigned') OFFSET 0)"""
_OFFERED = """a.state IN ('offered', 'assigned')
    AND EXISTS (SELECT FROM offers f WHERE f.assignment_id = a.id AND f.person = :person AND f.declined_at IS NULL)
    AND (a.state = 'offered' AND a.taken < a.places OR a.asked = :person)
    AND NOT EXISTS (
        SELECT FROM holdings h WHERE h.assignment_id = a.id AND h.person = :person AND h.ended_at IS NULL)"""
_HELD = """a.state NOT IN ('completed', 'returned', 'cancelled') AND a.id IN (
        SELECT assignment_id FROM holdings WHERE person = :person AND ended_at IS NULL AND completed_at IS NULL)"""
_BY_ID = ("a.id DESC", "a.id < :after")
_CONCERNS = """(EXISTS (SELECT FROM offers f WHERE f.assignment_id = a.id AND f.person = :person)
     OR EXISTS (SELECT FROM holdings h WHERE h.assignment_id = a.id AND h.person = :person))"""


@dataclass(frozen=True)
class Filter:
    """What a list is narrowed to. `at` is a code whose range limits tenant or grid; `own` shows only one's own.

    `scope` is the session's, said again for the sake of the indexes; a list names it.
    """

    person: UUID | None
    scope: str | None = None
    at: str | None = None
    own: bool = False
    id: UUID | None = None
    request: UUID | None = None
    tenant: str | None = None
    grid: str | None = None
    state: str | None = None
    mine: Literal["offered", "held"] | None = None
    after: UUID | None = None
    limit: int = 50


async def page(session: AsyncSession, wanted: Filter) -> Sequence[dict[str, Any]]:
    """Up to `limit + 1` assignments that fit, newest first, as rows for `item`."""
    conditions = ["true"]
    values: dict[str, Any] = {"person": wanted.person}

    def narrow(condition: str, **given: Any) -> None:
        conditions.append(condition)
        values.update(given)

    def under(column: str, name: str, code: str) -> None:
        if code == wanted.scope:  # row-level security sees to that
            return
        if column == "a.tenant" and len(code) == VILLAGE:
            narrow(f"a.tenant = :{name}", **{name: code})
        else:
            narrow(f"{column} >= :{name} AND {column} < :{name}_end", **{name: code, f"{name}_end": upper_bound(code)})

    # A village's rows have one tenant: named first, assignments_list gives the page as it stands.
    village = wanted.scope if wanted.scope is not None and len(wanted.scope) == VILLAGE else None
    order, place = ("a.tenant DESC, a.id DESC", "(a.tenant, a.id) < (:scope, :after)") if village else _BY_ID
    if village:
        values["scope"] = village
    if wanted.at is not None:
        under("a.grid" if len(wanted.at) > VILLAGE else "a.tenant", "at", wanted.at)
    if wanted.own:
        narrow(_CONCERNS)
    if wanted.mine is not None:
        narrow(_OFFERED if wanted.mine == "offered" else _HELD)
    if wanted.mine == "offered" and village:
        narrow(_OPEN_HERE)
    if wanted.tenant is not None:
        under("a.tenant", "tenant", wanted.tenant)
    if wanted.grid is not None:
        under("a.grid", "grid", wanted.grid)
    for column, value in (
        ("a.id", wanted.id),
        ("a.request_id", wanted.request),
        ("a.state", wanted.state),
    ):
        if value is not None:
            name = column.removeprefix("a.")
            narrow(f"{column} = :{name}", **{name: value})
    if wanted.after is not None:
        narrow(place, after=wanted.after)
    statement = _PAGE.format(conditions=" AND ".join(conditions), order=order, rows=wanted.limit + 1)
    return [dict(row) for row in (await session.execute(text(statement), values)).mappings()]


async def one(session: AsyncSession, id: UUID, person: UUID | None) -> dict[str, Any]:
    """One assignment as a row for `item`; the caller has seen that it is there."""
    return (await page(session, Filter(person=person, id=id, limit=1)))[0]


async def details(session: AsyncSession, id: UUID) -> dict[str, Any]:
    """What the desk sees beside: the holders with what they reported, and the moves with their words."""
    holders = await session.execute(_HOLDERS, {"id": id})
    moves = await session.execute(_MOVES, {"id": id})
    return {"holders": [dict(row) for row in holders.mappings()], "moves": [dict(row) for row in moves.mappings()]}


_HOLDERS = text(
    """
    SELECT person, name, via, claimed_at, checked_in_at, checked_out_at, completed_at, ended_at, place, minutes,
           served_person_times, result, evidence
    FROM holdings WHERE assignment_id = :id ORDER BY claimed_at, person
    """
)
_MOVES = text("SELECT move, at, by, person, words FROM moves WHERE assignment_id = :id ORDER BY id LIMIT 500")


def item(row: dict[str, Any], locale: str) -> dict[str, Any]:
    """A row of `page` as contract.md gives it; `why` in words where it was offered to the one who asks."""
    shown = {name: value for name, value in row.items() if name not in ("why", "offer_open")}
    if row["why"] and row["offer_open"]:
        shown["why"] = words(row["why"], locale)
    return shown


@dataclass(frozen=True)
class Reference:
    """An assignment that a caller may act on."""

    id: UUID
    request_id: UUID


_REFERENCE = text(
    """
    SELECT a.id, a.request_id FROM assignments a
    WHERE a.id = :id
      AND (CAST(:at AS text) IS NULL OR (a.grid >= :at AND a.grid < :at || ':'))
      AND (NOT :own OR EXISTS (SELECT FROM offers o WHERE o.assignment_id = a.id AND o.person = :person)
           OR EXISTS (SELECT FROM holdings h WHERE h.assignment_id = a.id AND h.person = :person))
    """
)


async def reference(session: AsyncSession, id: UUID, *, at: str, person: UUID | None, own: bool) -> Reference | None:
    """An assignment in reach: under `at` where that is a grid, and one's own where `own`; without a lock."""
    values = {"id": id, "at": at if len(at) > 12 else None, "person": person, "own": own}
    row = (await session.execute(_REFERENCE, values)).first()
    return None if row is None else Reference(row.id, row.request_id)


_COUNTS = text(
    """
    SELECT a.state, count(*) AS requests FROM requests r
    JOIN assignments a ON a.request_id = r.id AND a.round = r.round
    WHERE r.tenant >= :org AND r.tenant < :org || ':'
      AND (CAST(:begins AS timestamptz) IS NULL OR r.opened_at >= :begins)
      AND (CAST(:ends AS timestamptz) IS NULL OR r.opened_at < :ends)
    GROUP BY a.state
    """
)


async def counts(session: AsyncSession, org: str, begins: datetime | None, ends: datetime | None) -> dict[str, int]:
    """How many requests stand in which state of their latest assignment, by when they were first opened here."""
    rows = await session.execute(_COUNTS, {"org": org, "begins": begins, "ends": ends})
    return {row.state: row.requests for row in rows}
