"""Reconciliation: whose counts differ, and which of the differences are only on their way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

# (service, status) -> (here, there)
Differing = Mapping[tuple[str, str], tuple[int, int]]


Counts = Mapping[str, int]


class Difference(NamedTuple):
    """A count that is not equal: `here` in reporting, `there` in the service that owns it."""

    service: str
    status: str
    here: int
    there: int


def differing(service: str, here: Counts, there: Counts) -> dict[tuple[str, str], tuple[int, int]]:
    """The statuses whose counts are not equal."""
    return {
        (service, status): (here.get(status, 0), there.get(status, 0))
        for status in sorted({*here, *there})
        if here.get(status, 0) != there.get(status, 0)
    }


def standing(readings: Sequence[Differing]) -> list[Difference]:
    """Differences that every reading showed, in the same direction: a loss. All others were moves under way."""
    if not readings:
        return []
    last = readings[-1]
    return [
        Difference(service, status, here, there)
        for (service, status), (here, there) in last.items()
        if all(
            (service, status) in reading
            and (reading[service, status][0] > reading[service, status][1]) == (here > there)
            for reading in readings
        )
    ]


def in_flight(last: Differing, standing: Sequence[Difference]) -> int:
    """Requests out of place in the last reading beyond those that stand: their events are on their way.

    A move takes one away here and adds one there, so per service the larger side counts.
    """
    losses = {(difference.service, difference.status) for difference in standing}
    missing: dict[str, int] = {}
    extra: dict[str, int] = {}
    for (service, status), (here, there) in last.items():
        if (service, status) in losses:
            continue
        side = missing if here < there else extra
        side[service] = side.get(service, 0) + abs(here - there)
    services = {*missing, *extra}
    return max((max(missing.get(service, 0), extra.get(service, 0)) for service in services), default=0)
