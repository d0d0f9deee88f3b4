"""Folds a batch of events into facts and moves the tallies by what that changes, in a handful of statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import text

from lianhu_kit.statements import Statements
from reporting_service.domain.contribution import Cell, Contribution, change, served_at
from reporting_service.domain.facts import Entry, Fact, Half
from reporting_service.domain.moments import moment
from reporting_service.domain.story import Story, story
from reporting_service.handlers.generations import Books


class Told(NamedTuple):
    """An event of a request, ready to be folded."""

    request_id: UUID
    tenant: str
    half: Half
    entry: Entry


# A rebuild keeps the moment at which a request was counted first.
_BEGIN = text(
    """
    INSERT INTO facts (generation, request_id, tenant, counted_at, halves)
    SELECT :generation, given.id, given.tenant, known.counted_at, '{}'
    FROM unnest(CAST(:ids AS uuid[]), CAST(:tenants AS text[])) AS given (id, tenant)
    LEFT JOIN facts AS known ON known.request_id = given.id AND known.generation <> :generation
        AND known.generation = (SELECT generation FROM generations WHERE state = 'active')
    ORDER BY given.id
    ON CONFLICT (generation, request_id) DO NOTHING
    RETURNING request_id, tenant, halves::text AS halves
    """
)
_READ = text(
    """
    SELECT request_id, tenant, halves::text AS halves FROM facts
    WHERE generation = :generation AND request_id = ANY(CAST(:ids AS uuid[])) ORDER BY request_id FOR UPDATE
    """
)
# The ids once more by themselves, to be found by the index: of JSON the planner takes a hundred rows for granted.
_WRITE = text(
    """
    UPDATE facts SET grid = given.grid, service = given.service, number = given.number, status = given.status,
        submitted_at = given.submitted_at, submitted_on = given.submitted_on, served_id = given.served_id,
        served_on = given.served_on, resident = given.resident, reporter = given.reporter, holders = given.holders,
        helpers = given.helpers, assignment = given.assignment, assignment_at = given.assignment_at,
        overdue_from = given.overdue_from, was_overdue = given.was_overdue, halves = given.halves,
        counted_at = coalesce(facts.counted_at, CASE WHEN given.status IS NOT NULL THEN clock_timestamp() END)
    FROM json_to_recordset(CAST(:rows AS json)) AS given (
        request_id uuid, grid text, service text, number text, status text, submitted_at timestamptz,
        submitted_on date, served_id uuid, served_on date, resident uuid, reporter uuid, holders uuid[],
        helpers uuid[], assignment text, assignment_at timestamptz, overdue_from timestamptz,
        was_overdue tstzmultirange, halves jsonb)
    WHERE facts.generation = :generation AND facts.request_id = given.request_id
      AND facts.request_id = ANY(CAST(:ids AS uuid[]))
    """
)
# As one JSON value and not as arrays: the driver looks at every element of an array by itself.
# The sums of months and of all time move by the same amounts, each table in the order of its keys.
_ADD = text(
    """
    WITH given AS MATERIALIZED (
        SELECT basis, tenant, day, service, grid, measure, CAST(amount AS bigint) AS amount
        FROM json_to_recordset(CAST(:cells AS json)) AS cell (
            basis text, tenant text, day date, service text, grid text, moved json),
            json_each_text(moved) AS moved (measure, amount)
    ), spans AS (
        INSERT INTO span_tallies AS kept (generation, basis, month, tenant, service, measure, value)
        SELECT :generation, basis, month, tenant, service, measure, sum(amount)
        FROM given, LATERAL (VALUES (date '-infinity'), (date_trunc('month', day::timestamp)::date)) AS span (month)
        GROUP BY basis, month, tenant, service, measure HAVING sum(amount) <> 0
        ORDER BY basis COLLATE "C", month, tenant COLLATE "C", service COLLATE "C", measure COLLATE "C"
        ON CONFLICT (generation, basis, month, tenant, service, measure)
        DO UPDATE SET value = kept.value + excluded.value
    )
    INSERT INTO tallies AS kept (generation, basis, tenant, day, service, grid, measure, value)
    SELECT :generation, basis, tenant, day, service, grid, measure, amount FROM given
    ON CONFLICT (generation, basis, tenant, day, service, grid, measure)
    DO UPDATE SET value = kept.value + excluded.value
    """
)
_ADD_FOR_PERSON = text(
    """
    INSERT INTO volunteer_tallies AS kept (generation, basis, tenant, day, service, grid, person, measure, value)
    SELECT :generation, basis, tenant, day, service, grid, person, measure, CAST(amount AS bigint)
    FROM json_to_recordset(CAST(:cells AS json)) AS given (
        basis text, tenant text, day date, service text, grid text, person uuid, moved json),
        json_each_text(moved) AS moved (measure, amount)
    ON CONFLICT (generation, basis, tenant, day, service, grid, person, measure)
    DO UPDATE SET value = kept.value + excluded.value
    """
)


async def fold(session: Statements, books: Books, told: Iterable[Told]) -> int:
    """Puts events into their facts and moves the tallies by the difference; how many events were new.

    Facts are locked in the order of their ids, tallies written in the order of their keys: no two batches can
    wait for each other.
    """
    by_request: dict[UUID, list[Told]] = {}
    for event in told:
        by_request.setdefault(event.request_id, []).append(event)
    if not by_request:
        return 0
    ids = sorted(by_request)
    tenants = [by_request[id][0].tenant for id in ids]
    begun = (await session.execute(_BEGIN, {"generation": books.generation, "ids": ids, "tenants": tenants})).all()
    stored = list(begun)
    if known := set(ids) - {row.request_id for row in begun}:
        stored += (await session.execute(_READ, {"generation": books.generation, "ids": sorted(known)})).all()
    moved: Contribution = {}
    rows, folded = [], 0
    for row in stored:
        fact = Fact.load(row.request_id, row.tenant, orjson.loads(row.halves))
        before = story(fact)
        new = sum(fact.add(event.half, event.entry) for event in by_request[row.request_id])
        if not new:
            continue
        folded += new
        after = story(fact)
        for cell, amounts in change(after, before, books.zone).items():
            sums = moved.setdefault(cell, {})
            for measure, amount in amounts.items():
                sums[measure] = sums.get(measure, 0) + amount
        rows.append(_row(fact, after, books))
    if rows:
        values = {"generation": books.generation, "ids": ids, "rows": orjson.dumps(rows).decode()}
        await session.execute(_WRITE, values)
    await _add(session, books.generation, moved)
    return folded


async def _add(session: Statements, generation: int, moved: Contribution) -> None:
    for statement, person in ((_ADD, False), (_ADD_FOR_PERSON, True)):
        cells = [
            {**cell._asdict(), "moved": {measure: amounts[measure] for measure in sorted(amounts) if amounts[measure]}}
            for cell, amounts in sorted(moved.items(), key=_place)
            if (cell.person is not None) is person
        ]
        if cells:
            await session.execute(statement, {"generation": generation, "cells": orjson.dumps(cells).decode()})


def _place(moved: tuple[Cell, Mapping[str, int]]) -> tuple[object, ...]:
    return (*moved[0][:5], moved[0].person or "")


def _row(fact: Fact, read: Story | None, books: Books) -> dict[str, Any]:
    """The columns of a fact; all but the halves are empty while its submission has not come."""
    row: dict[str, Any] = {"request_id": str(fact.request_id), "halves": fact.dump(), "holders": [], "helpers": []}
    if read is None:
        return row
    served = served_at(read)
    open_ended = [begin for begin, end in read.overdue if end is None]
    ended = [f"[{_time(begin)},{_time(end)})" for begin, end in read.overdue if end is not None]
    state, assigned_at = read.assignment or (None, None)
    return {
        **row,
        "grid": read.grid,
        "service": read.service,
        "number": read.number,
        "status": read.status,
        "submitted_at": moment(read.submitted_at),
        "submitted_on": moment(read.submitted_at).astimezone(books.zone).date(),
        "served_id": read.served_id,
        "served_on": None if served is None else moment(served).astimezone(books.zone).date(),
        "resident": read.resident,
        "reporter": read.reporter,
        "holders": sorted(read.holders),
        "helpers": sorted(read.work),
        "assignment": state,
        "assignment_at": None if assigned_at is None else moment(assigned_at),
        "overdue_from": moment(open_ended[0]) if open_ended else None,
        "was_overdue": "{" + ",".join(ended) + "}" if ended else None,
    }


def _time(at: int) -> str:
    read: datetime = moment(at)
    return read.isoformat()
