"""What every report is asked for: a unit and a span of days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import Depends, Query

from lianhu_kit.access import Access
from lianhu_kit.api import FIRST_YEAR, LAST_YEAR, DivisionCode
from lianhu_kit.divisions import covers
from lianhu_kit.problems import FieldError, Invalid, NotFound
from reporting_service.domain.spans import Span

_GRID = 15


@dataclass(frozen=True)
class Asked:
    """The unit and the span."""

    org: str
    span: Span

    def allowed(self, access: Access) -> str:
        """The unit, where a grant of the caller reaches it; NotFound otherwise."""
        if not covers(access.covering(self.org).at, self.org):
            raise NotFound(f"There is no unit {self.org} within your reach.")
        return self.org


def _asked(
    org: Annotated[DivisionCode, Query(description="division code of a unit, from province to grid")],
    first: Annotated[date | None, Query(alias="from", description="first day (YYYY-MM-DD), included")] = None,
    last: Annotated[date | None, Query(alias="to", description="last day (YYYY-MM-DD), included")] = None,
) -> Asked:
    return asked_for(org, Span(first, last))


def asked_for(org: str, span: Span) -> Asked:
    """A unit and a span that reports can be made of; Invalid for others."""
    if len(org) > _GRID:
        raise Invalid([FieldError("org", "Reports go down to the grid: send a code of at most 15 digits.")])
    for name, day in (("from", span.first), ("to", span.last)):
        if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise Invalid([FieldError(name, f"Days count in the years {FIRST_YEAR} to {LAST_YEAR}.")])
    if span.is_backwards:
        raise Invalid([FieldError("to", "The last day lies before the first: exchange `from` and `to`.")])
    return Asked(org, span)


UnitAndSpan = Annotated[Asked, Depends(_asked)]
