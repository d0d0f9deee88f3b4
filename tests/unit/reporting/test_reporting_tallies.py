"""Facts and tallies: the same whatever order events came in, and equal to a count by brute force."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reporting_service.domain.contribution import BASES, Cell, Contribution, change, contribution, difference
from reporting_service.domain.facts import Fact
from reporting_service.domain.moments import moment
from reporting_service.domain.rows import row
from reporting_service.domain.statuses import ENDED, OPEN, STATUSES, status
from reporting_service.domain.story import story
from support import bruteforce
from support.cases import cases
from support.contracts import data_faults
from support.folding import fold
from support.histories import Raw
from support.walks import orders

ZONE = ZoneInfo("Asia/Shanghai")
VILLAGES = ("990000000001", "990000000002")
seeds = st.integers(0, 10**6)


def shuffled(events: list[Raw], dice: random.Random) -> list[Raw]:
    """The same events as consumers may see them: each key of each topic in order, nothing else; some twice."""
    lanes: dict[tuple[str, str], list[Raw]] = {}
    for event in sorted(events, key=lambda event: event.sequence):
        lanes.setdefault((event.topic, event.key), []).append(event)
    mixed: list[Raw] = []
    while lanes:
        lane = dice.choice(sorted(lanes))
        mixed.append(lanes[lane].pop(0))
        if dice.random() < 0.1:
            mixed.append(dice.choice(mixed))
        if not lanes[lane]:
            del lanes[lane]
    return mixed


def flat(added: Contribution) -> Counter[tuple[Cell, str]]:
    """The same with a key for each figure."""
    return Counter({(cell, measure): amount for cell, sums in added.items() for measure, amount in sums.items()})


def everything(facts: dict[str, Fact]) -> Counter[tuple[Cell, str]]:
    """What all facts add."""
    total: Counter[tuple[Cell, str]] = Counter()
    for fact in facts.values():
        total.update(flat(contribution(story(fact), ZONE)))
    return Counter({key: amount for key, amount in total.items() if amount})


def nested(total: Counter[tuple[Cell, str]]) -> Contribution:
    """The opposite of `flat`."""
    cells: Contribution = {}
    for (cell, measure), amount in total.items():
        cells.setdefault(cell, {})[measure] = amount
    return cells


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_facts_do_not_depend_on_the_order_of_topics_nor_on_duplicates(seed: int) -> None:
    events = orders(seed, VILLAGES, 4)
    straight = fold(events)
    mixed = fold(shuffled(events, random.Random(seed)))
    assert {id: fact.dump() for id, fact in mixed.items()} == {id: fact.dump() for id, fact in straight.items()}
    assert everything(mixed) == everything(straight)


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_differences_add_up_to_a_count_from_scratch_at_every_event(seed: int) -> None:
    events = shuffled(orders(seed, VILLAGES, 3), random.Random(seed))
    facts: dict[str, Fact] = {}
    moved: Counter[Any] = Counter()
    for event in events:
        before = everything(facts)
        fold([event], facts)
        moved.update(flat(difference(nested(everything(facts)), nested(before))))
        assert {key: amount for key, amount in moved.items() if amount} == everything(facts)


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(1, 12))
def test_what_changed_marks_move_is_the_difference_of_the_whole(seed: int, batch: int) -> None:
    events = shuffled(orders(seed, VILLAGES[:1], 3), random.Random(seed))
    facts: dict[str, Fact] = {}
    for first in range(0, len(events), batch):
        before = {id: story(fact) for id, fact in facts.items()}
        fold(events[first : first + batch], facts)
        for id, fact in facts.items():
            old, new = before.get(id), story(fact)
            whole = difference(contribution(new, ZONE), contribution(old, ZONE))
            assert change(new, old, ZONE) == whole
            assert change(old, new, ZONE) == difference(contribution(old, ZONE), contribution(new, ZONE))


@settings(max_examples=40, deadline=None)
@given(seeds, st.floats(0, 1))
def test_open_and_the_seven_ends_make_up_what_was_submitted_however_much_has_arrived(seed: int, part: float) -> None:
    events = shuffled(orders(seed, VILLAGES, 6), random.Random(seed))
    facts = fold(events[: int(len(events) * part)])
    total = everything(facts)
    for basis in BASES:
        sums: Counter[str] = Counter()
        for (cell, measure), amount in total.items():
            if cell.basis == basis and cell.person is None:
                sums[measure] += amount
        made = row(sums, basis=basis, overdue=0, served_people=0, satisfied_from=3)
        now = made["now"]
        assert now["open"] == sum(now[name] for name in OPEN)
        assert made["submitted"] == now["open"] + sum(now[name] for name in ENDED)
        assert made["submitted"] == sum(1 for fact in facts.values() if status(fact) is not None)
        assert all(number >= 0 for number in now.values())


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_over_all_time_both_bases_agree(seed: int) -> None:
    totals: dict[str, Counter[str]] = {basis: Counter() for basis in BASES}
    for (cell, measure), amount in everything(fold(orders(seed, VILLAGES, 10))).items():
        if not measure.startswith("ended."):
            totals[cell.basis][measure] += amount
    submitted, happened = ({k: v for k, v in totals[basis].items() if v} for basis in BASES)
    assert submitted == happened


def test_the_walks_are_what_the_services_may_publish_and_reach_every_status() -> None:
    events = orders(7, VILLAGES, 300)
    assert [fault for event in events for fault in data_faults(event.type, event.data)] == []
    reached = {status(fact) for fact in fold(events).values()}
    assert reached >= set(STATUSES)


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    "span", [(None, None), (date(2026, 1, 10), date(2026, 1, 20)), (None, date(2026, 2, 1)), (date(2026, 2, 1), None)]
)
def test_rows_equal_a_count_by_brute_force(basis: str, seed: int, span: tuple[date | None, date | None]) -> None:
    first, last = span
    events = orders(seed, VILLAGES, 150)
    asked = datetime(2026, 11, 22, tzinfo=UTC)
    wanted = bruteforce.row(cases(events), bruteforce.Question(basis, ZONE, asked, first, last))
    sums: Counter[str] = Counter()
    for (cell, measure), amount in everything(fold(events)).items():
        inside = (first is None or cell.day >= first) and (last is None or cell.day <= last)
        standing = basis == "happened" and measure.startswith("now.") and (last is None or cell.day <= last)
        if cell.basis == basis and cell.person is None and (inside or standing):
            sums[measure] += amount
    made = row(sums, basis=basis, overdue=0, served_people=0, satisfied_from=3)
    for field in ("overdue", "served_people"):
        wanted.pop(f"now.{field}", None), wanted.pop(field, None)
    compare(made, wanted, basis)


def compare(made: dict[str, Any], wanted: dict[str, Any], basis: str) -> None:
    """Every figure of a row and every rate, against brute force."""
    seconds = wanted.pop("seconds")
    flat = flatten(made)
    ours = {field: number for field, number in flat.items() if number}
    if basis == "submitted":
        wanted = {field: number for field, number in wanted.items() if not field.startswith("ended.")}
    assert ours == {field: int(number) for field, number in wanted.items() if number}
    for name in ("contact", "finish"):
        median = made[f"{name}_seconds_p50"]
        exact = sorted(seconds[name])
        if not exact:
            assert median is None
            continue
        middle = exact[(len(exact) - 1) // 2]
        assert abs(median - middle) <= max(1.0, 0.05 * middle)
    counted: dict[str, Any] = Counter(wanted)
    for slug, (numerator, denominator) in bruteforce.rates(counted, basis).items():
        rate = made["rates"][slug]
        assert (rate["numerator"], rate["denominator"]) == (numerator, denominator), slug
        if denominator < 10:
            assert (rate["value"], rate["text"], rate["ranked"]) == (None, f"{numerator}/{denominator}", False)
        else:
            assert rate["value"] == pytest.approx(numerator / denominator, abs=1e-6)


def flatten(made: dict[str, Any]) -> dict[str, int]:
    """A row's figures as `part.field: number`, without rates, medians and names."""
    flat: dict[str, int] = {}
    for name, value in made.items():
        if isinstance(value, dict) and name != "rates":
            flat |= {f"{name}.{field}": number for field, number in value.items()}
        elif isinstance(value, int):
            flat[name] = value
    return flat


def test_overdue_and_suspended_are_known_for_any_moment() -> None:
    events = orders(11, VILLAGES, 200)
    facts = fold(events)
    for case in cases(events):
        read = story(facts[case.submitted.key])
        assert read is not None
        for days in range(0, 70, 7):
            at = datetime(2026, 1, 6, 3, 7, 11, tzinfo=UTC) + timedelta(days=days)
            overdue = any(moment(b) <= at and (e is None or at < moment(e)) for b, e in read.overdue)
            stopped = any(moment(b) <= at and (e is None or at < moment(e)) for b, e in read.suspensions)
            assert (overdue, stopped) == (case.overdue_at(at), case.suspended_at(at)), (case.submitted.key, at)
