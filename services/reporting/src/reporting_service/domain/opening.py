"""What stands behind a figure: the measures that it is the sum of, and how much one request adds to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from reporting_service.domain.contribution import CONTACT_SECONDS, FINISH_SECONDS, HAPPENED, SUBMITTED, Contribution
from reporting_service.domain.figures import FIGURES, Figure
from reporting_service.domain.rates import declared, formulas
from reporting_service.domain.spans import Span
from reporting_service.domain.statuses import OPEN

# Counted from the facts and not from sums: who is late now, and distinct people.
OVERDUE, PEOPLE = "now.overdue", "served_people"
_MEDIANS = {"contact_seconds_p50": CONTACT_SECONDS, "finish_seconds_p50": FINISH_SECONDS}


class Opening(NamedTuple):
    """A figure with its words, the measures behind it, and for medians the beginning of their names."""

    figure: Figure
    measures: frozenset[str]
    prefix: str = ""

    def amount(self, sums: Mapping[str, int]) -> int:
        """How much a request with these amounts adds; for medians and rates 1 where it counts at all."""
        if self.prefix:
            return int(any(name.startswith(self.prefix) and value for name, value in sums.items()))
        found = sum(sums.get(measure, 0) for measure in self.measures)
        return int(found > 0) if self.figure.field.startswith("rates.") else found


def opening(field: str, satisfied_from: int, basis: str = SUBMITTED) -> Opening | None:
    """What a figure opens to; None where there is no such figure (`ended` belongs to another basis)."""
    figures = {figure.field: figure for figure in (*FIGURES, *formulas(satisfied_from))}
    figure = figures.get(field)
    if figure is None or field == "ended":
        return None
    if field in _MEDIANS:
        return Opening(figure, frozenset(), _MEDIANS[field])
    if field == "now.open":
        return Opening(figure, frozenset(f"now.{status}" for status in OPEN))
    if field.startswith("rates."):
        rate = next(rate for rate in declared(satisfied_from) if f"rates.{rate.slug}" == field)
        return Opening(figure, frozenset(_plain(name, basis) for name in (*rate.numerator, *rate.denominator)))
    return Opening(figure, frozenset({field}))


def amounts(counted: Contribution, basis: str, span: Span) -> dict[str, int]:
    """What a request adds in a span: on the basis happened the moves in it, and where it stood at the span's end."""
    sums: dict[str, int] = {}
    for cell, measures in counted.items():
        if cell.person is not None or cell.basis != basis or (span.last and cell.day > span.last):
            continue
        earlier = span.first is not None and cell.day < span.first
        for measure, amount in measures.items():
            if not earlier or (basis == HAPPENED and measure.startswith("now.")):
                sums[measure] = sums.get(measure, 0) + amount
    return sums


def _plain(measure: str, basis: str) -> str:
    """A measure; on the basis of submission, where requests ended is where they stand."""
    plain = measure.removeprefix("-")
    return plain.replace("ended.", "now.") if basis == SUBMITTED else plain
