"""Hundreds of orders through a real broker: every tally and rate against a count by brute force."""

import random
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from support import bruteforce
from support.cases import Case, cases
from support.places import village
from support.sending import mixed
from support.walks import orders

ZONE = ZoneInfo("Asia/Shanghai")
SPANS = [(None, None), (date(2026, 1, 12), date(2026, 1, 31)), (None, date(2026, 1, 25))]
KEYS = {
    "village": lambda case: case.submitted.tenant,
    "town": lambda case: case.submitted.tenant[:9],
    "grid": lambda case: case.grid,
    "service": lambda case: case.submitted.data["service"],
}


def flat(made: dict[str, Any]) -> dict[str, int]:
    """The figures of a row that are not zero."""
    figures = {
        f"{part}.{name}": number
        for part, inner in made.items()
        if isinstance(inner, dict) and part != "rates"
        for name, number in inner.items()
    } | {part: number for part, number in made.items() if isinstance(number, int)}
    return {name: number for name, number in figures.items() if number}


def check(made: dict[str, Any], wanted: dict[str, Any], basis: str) -> None:
    """A row against brute force: figures, medians, rates."""
    seconds = wanted.pop("seconds")
    counted = {name: int(number) for name, number in wanted.items() if number}
    if basis == "submitted":
        counted = {name: number for name, number in counted.items() if not name.startswith("ended.")}
    assert flat(made) == counted, made.get("key")
    for name, exact in seconds.items():
        median = made[f"{name}_seconds_p50"]
        middle = sorted(exact)[(len(exact) - 1) // 2] if exact else None
        assert (median is None) == (middle is None)
        assert middle is None or abs(median - middle) <= max(1.0, 0.05 * middle)
    for slug, (numerator, denominator) in bruteforce.rates(Counter(counted), basis).items():
        rate = made["rates"][slug]
        assert (rate["numerator"], rate["denominator"]) == (numerator, denominator), (slug, made.get("key"))
        assert rate["value"] == (None if denominator < 10 else pytest.approx(numerator / denominator, abs=1e-6))


async def test_every_tally_and_rate_equals_brute_force(stage: Any) -> None:
    towns = ("870000001", "870000002")
    villages = [village(town) for town in (*towns, *towns)]
    elsewhere = village("88")
    dice = random.Random(12)
    events = orders(12, [*villages, elsewhere], 300)
    async with stage.working():
        await stage.send(mixed(events, dice))
        await stage.applied()
    mine = [case for case in cases(events) if case.submitted.tenant != elsewhere]
    assert len(mine) > 200
    for basis in ("submitted", "happened"):
        for first, last in SPANS:
            question = bruteforce.Question(basis, ZONE, datetime.now(UTC), first, last)
            query = {"org": "87", "basis": basis} | {
                name: str(day) for name, day in (("from", first), ("to", last)) if day is not None
            }
            for by, key_of in KEYS.items():
                report = await stage.get("tallies", "supervisor", "87", by=by, **query)
                check(report["total"], bruteforce.row(mine, question), basis)
                _check_rows(report, mine, key_of, question)
            await _check_volunteers(stage, mine, question, query)
            await _check_periods(stage, mine, question, query)


def _check_rows(report: dict[str, Any], mine: list[Case], key_of: Any, question: bruteforce.Question) -> None:
    rows = {row["key"]: row for row in report["rows"]}
    assert len(rows) == len(report["rows"])
    for key in {key_of(case) for case in mine}:
        wanted = bruteforce.row([case for case in mine if key_of(case) == key], question)
        if key in rows:
            check(rows.pop(key), wanted, question.basis)
        else:
            wanted.pop("seconds")
            assert not any(wanted.values())
    assert not rows


async def _check_volunteers(stage: Any, mine: list[Case], question: bruteforce.Question, query: dict[str, str]) -> None:
    report = await stage.get("tallies", "supervisor", "87", by="volunteer", **query)
    check(report["total"], bruteforce.row(mine, question), question.basis)
    assert len(report["rows"]) > 10
    for row in report["rows"]:
        held = [case for case in mine if row["key"] in case.holders]
        check(row, bruteforce.row(held, question, row["key"]), question.basis)
    shown = {row["key"] for row in report["rows"]}
    for person in {person for case in mine for person in case.holders} - shown:
        unseen = bruteforce.row([case for case in mine if person in case.holders], question, person)
        unseen.pop("seconds")
        assert not any(unseen.values())


async def _check_periods(stage: Any, mine: list[Case], question: bruteforce.Question, query: dict[str, str]) -> None:
    for by, length in (("day", 10), ("month", 7)):
        report = await stage.get("tallies", "supervisor", "87", by=by, **query)
        check(report["total"], bruteforce.row(mine, question), question.basis)
        rows = {row["key"]: row for row in report["rows"]}
        assert len(rows) > (5 if by == "day" else 0)
        for key, row in rows.items():
            first, last = _days(key, question, length)
            part = bruteforce.Question(question.basis, ZONE, question.now, first, last)
            check(row, bruteforce.row(mine, part), question.basis)
        if question.basis == "submitted":
            assert sum(row["submitted"] for row in rows.values()) == report["total"]["submitted"]


def _days(key: str, question: bruteforce.Question, length: int) -> tuple[date | None, date | None]:
    """A period's days within the span."""
    if length == 10:
        return date.fromisoformat(key), date.fromisoformat(key)
    first = date.fromisoformat(key + "-01")
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    last = date.fromordinal(following.toordinal() - 1)
    return max(first, question.first or first), min(last, question.last or last)
