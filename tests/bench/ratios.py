"""Ratios, how they are taken and what is wanted of them."""

import statistics
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

Contender = Callable[[], Awaitable[float]]


@dataclass(frozen=True)
class Ratio:
    """One line of the table. `wanted` is a bound of the ratio, None where nothing is promised."""

    check: str
    ratio: float
    at_least: float | None = None
    at_most: float | None = None
    rounds: int = 1
    figures: str = ""

    @property
    def wanted(self) -> str:
        """The bound in words."""
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return "-" if self.at_most is None else f"<= {self.at_most:g}"

    @property
    def reached(self) -> bool | None:
        """Whether the bound holds; None where there is none."""
        if self.at_least is not None:
            return self.ratio >= self.at_least
        return None if self.at_most is None else self.ratio <= self.at_most

    @property
    def verdict(self) -> str:
        """The same in a word."""
        return {True: "reached", False: "MISSED", None: "told"}[self.reached]


async def interleaved(rounds: int, contenders: Mapping[str, Contender]) -> dict[str, list[float]]:
    """Each contender once a round, in turns, so that what else the machine does falls on all of them."""
    measured: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            measured[name].append(await contenders[name]())
    return measured


def median_ratio(ours: list[float], theirs: list[float]) -> float:
    """The median over the rounds of ours / theirs in the same round."""
    return statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))
