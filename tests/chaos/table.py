"""What came of the runs, in one table: a line a case over its seeds, and a last line that sums up."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

KINDS = ("lost", "doubled", "illegal")


@dataclass
class Outcome:
    """How a case ended with one seed. `recovery` and `seconds` are seconds."""

    case: str
    seed: int
    injected: str
    accepted: int
    arrived: int
    recovery: float
    seconds: float
    lost_answers: int
    counts: Mapping[str, int] = field(default_factory=dict)
    examples: Sequence[str] = ()

    def lines(self) -> list[str]:
        """The case in words."""
        told = ", ".join(f"{kind} {number}" for kind, number in self.counts.items())
        return [
            f"{self.case} (seed {self.seed}): {self.injected}",
            f"  accepted {self.accepted}, arrived in reporting {self.arrived}, answers missing at first "
            f"{self.lost_answers}, recovered in {self.recovery:.1f} s, took {self.seconds:.0f} s: {told}",
            *(f"  ! {example}" for example in self.examples),
        ]


@dataclass
class Record:
    """All that was played: outcomes, cases that broke off, and cases that this machine does not allow."""

    ended: list[Outcome] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    untried: dict[str, str] = field(default_factory=dict)
    stopped: bool = False

    @property
    def total(self) -> dict[str, int]:
        """How many were lost, doubled, illegal in all."""
        return {kind: sum(outcome.counts.get(kind, 0) for outcome in self.ended) for kind in KINDS}

    @property
    def good(self) -> bool:
        """Whether something was played, all of it to its end, and nothing was wrong."""
        return bool(self.ended) and not self.stopped and not self.broken and not any(self.total.values())

    def table(self) -> Iterator[str]:
        """A line a case with its recovery over the seeds, then the summary."""
        heads = ("lost", "doubled", "illegal", "recovery s: min", "median", "max")
        widths = [max(8, len(head)) for head in heads]
        spread = "  ".join(head.rjust(width) for head, width in zip(heads, widths, strict=True))
        yield f"{'case':<20} {'seeds':>5} {'accepted':>8} {'arrived':>8}  {spread}"
        for case in dict.fromkeys(outcome.case for outcome in self.ended):
            of_case = [outcome for outcome in self.ended if outcome.case == case]
            times = [outcome.recovery for outcome in of_case]
            counts = [str(sum(outcome.counts.get(kind, 0) for outcome in of_case)) for kind in KINDS]
            recovery = [f"{time:.1f}" for time in (min(times), statistics.median(times), max(times))]
            cells = "  ".join(cell.rjust(width) for cell, width in zip([*counts, *recovery], widths, strict=True))
            accepted, arrived = (sum(getattr(outcome, name) for outcome in of_case) for name in ("accepted", "arrived"))
            yield f"{case:<20} {len(of_case):>5} {accepted:>8} {arrived:>8}  {cells}"
        for case, reason in self.untried.items():
            yield f"{case:<20} not tried: {reason}"
        yield self.summary()

    def summary(self) -> str:
        """The last line: how much was played, and what was wrong with it."""
        parts = [
            f"{len({outcome.case for outcome in self.ended})} cases",
            f"{len(self.ended)} runs",
            f"{sum(outcome.accepted for outcome in self.ended)} orders",
        ]
        if self.untried:
            parts.append(f"not tried {len(self.untried)}")
        if self.broken:
            parts.append(f"not played to the end {len(self.broken)}")
        if self.stopped:
            parts.append("stopped before the end")
        return f"{', '.join(parts)}: " + ", ".join(f"{kind} {number}" for kind, number in self.total.items())
