"""Rates: made from sums at the moment of reading, never averaged; the formula stands beside the sum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from reporting_service.domain.figures import Figure, Words

# With fewer cases a rate prints as 7/9 and is not ranked.
FEWEST_CASES = 10


class Rate(NamedTuple):
    """A rate: sums over measures, a leading `-` takes one away. `beside` are printed with it."""

    slug: str
    zh: Words
    en: Words
    numerator: tuple[str, ...]
    denominator: tuple[str, ...]
    beside: tuple[str, ...] = ()


_VALID = tuple(f"first_grades.{grade}" for grade in "12345")
_BAD = ("first_grades.1", "first_grades.2")


def declared(satisfied_from: int) -> tuple[Rate, ...]:
    """All rates of tallies.md; `satisfied_from` is the lowest grade that counts as satisfied (a setting)."""
    good = tuple(f"first_grades.{grade}" for grade in range(satisfied_from, 6))
    return (
        Rate(
            "acceptance", Words("受理率", "曾受理 ÷ (曾受理 + 不予受理)"),
            Words("acceptance rate", "ever accepted ÷ (ever accepted + rejected)"),
            ("ever.accepted",), ("ever.accepted", "ended.rejected"),
        ),
        Rate(
            "contact_in_time", Words("按时响应率", "按时响应 ÷ 应响应"),
            Words("contacted in time", "contact_met ÷ contact_due"),
            ("limits.contact_met",), ("limits.contact_due",),
        ),
        Rate(
            "closing", Words("办结率", "办结 ÷ (曾受理 − 受理后终止)"),
            Words("closing rate", "closed ÷ (ever accepted − accepted_dropped)"),
            ("ended.closed_confirmed", "ended.closed_unconfirmed"), ("ever.accepted", "-ever.accepted_dropped"),
        ),
        Rate(
            "finish_in_time", Words("按时办结率", "按时完成 ÷ 应办结;延期与挂起并列"),
            Words("finished in time", "finish_met ÷ finish_due; extensions and suspensions beside"),
            ("limits.finish_met",), ("limits.finish_due",),
            ("limits.finish_longer", "ever.extended", "ever.suspended"),
        ),
        Rate(
            "solved", Words("解决率", "已解决 ÷ (已解决 + 部分解决 + 未解决)"),
            Words("solved", "yes ÷ (yes + partly + no)"),
            ("solved.yes",), ("solved.yes", "solved.partly", "solved.no"), ("solved.unknown",),
        ),
        Rate(
            "satisfaction", Words("满意率", f"首评 {satisfied_from}–5 ÷ 有效首评;参评率并列"),
            Words("satisfaction", f"first grades {satisfied_from}–5 ÷ valid first grades; participation beside"),
            good, _VALID, ("ever.completed",),
        ),
        Rate(
            "participation", Words("参评率", "有效首评 ÷ 曾完成"),
            Words("participation", "valid first grades ÷ ever completed"),
            _VALID, ("ever.completed",),
        ),
        Rate(
            "rework_satisfaction", Words("整改满意率", "整改满意 ÷ 首评不高于 2"),
            Words("satisfied after rework", "reworked_satisfied ÷ first grades ≤ 2"),
            ("ever.reworked_satisfied",), _BAD,
        ),
        Rate(
            "callbacks", Words("有效回访率", "有效回访 ÷ 应回访"),
            Words("call backs that reached", "callbacks_reached ÷ callbacks_due"),
            ("ever.callbacks_reached",), ("ever.callbacks_due",),
        ),
        Rate(
            "reopening", Words("重办率", "曾重办 ÷ 曾完成"), Words("reopening rate", "reopened ÷ completed"),
            ("ever.reopened",), ("ever.completed",),
        ),
        Rate(
            "returning", Words("退单率", "曾退单 ÷ 曾派单"), Words("returning rate", "returned ÷ dispatched"),
            ("ever.returned",), ("ever.dispatched",),
        ),
        Rate(
            "extension", Words("延期率", "曾延期 ÷ 曾受理"), Words("extension rate", "extended ÷ accepted"),
            ("ever.extended",), ("ever.accepted",),
        ),
    )  # fmt: skip


def rates(sums: Mapping[str, int], satisfied_from: int) -> dict[str, dict[str, Any]]:
    """Each rate with its sums; `value` is None and `text` says `7/9` where the cases are few."""
    made: dict[str, dict[str, Any]] = {}
    for rate in declared(satisfied_from):
        numerator, denominator = _sum(sums, rate.numerator), _sum(sums, rate.denominator)
        enough = denominator >= FEWEST_CASES
        value = numerator / denominator if enough else None
        made[rate.slug] = {
            "numerator": numerator,
            "denominator": denominator,
            "value": None if value is None else round(value, 6),
            "text": f"{numerator}/{denominator}" if value is None else f"{value:.1%}",
            "ranked": enough,
        }
        if rate.beside:
            made[rate.slug]["beside"] = {name: sums.get(name, 0) for name in rate.beside}
    return made


def _sum(sums: Mapping[str, int], measures: tuple[str, ...]) -> int:
    return sum(-sums.get(measure[1:], 0) if measure.startswith("-") else sums.get(measure, 0) for measure in measures)


def formulas(satisfied_from: int) -> list[Figure]:
    """The rates as figures, with their formulas in words."""
    return [Figure(f"rates.{rate.slug}", rate.zh, rate.en) for rate in declared(satisfied_from)]
