"""A fact: what the topics said about one request, each topic's half apart and in its own order."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from uuid import UUID

Half = Literal["requests", "dispatch", "notifications"]


class Entry(NamedTuple):
    """One event, cut down to what is counted or told.

    `step` is the type's own word (`submitted`, `checked-in`), `at` microseconds since 1970 (UTC).
    """

    sequence: int
    step: str
    at: int
    data: dict[str, Any]


def _place_of_notice(entry: Entry) -> tuple[int, str, int]:
    # Deliveries have no order among each other but time; the id makes it one order for every reader.
    return entry.at, str(entry.data["delivery"]), entry.sequence


@dataclass(slots=True)
class Fact:
    """The halves of one request's story. Equal events give an equal fact, in whatever order they came."""

    request_id: UUID
    tenant: str
    requests: list[Entry] = field(default_factory=list)
    dispatch: list[Entry] = field(default_factory=list)
    notifications: list[Entry] = field(default_factory=list)

    def add(self, half: Half, entry: Entry) -> bool:
        """Puts an event in its place; False when it was there already.

        requests and dispatch are ordered by `sequence` (one key, the request). Deliveries are keyed each by
        its own id: they are ordered by time, delivery and sequence.
        """
        entries: list[Entry] = getattr(self, half)
        if half == "notifications":
            place = _place_of_notice(entry)
            if any(_place_of_notice(known)[1:] == place[1:] for known in entries):
                return False
            insort(entries, entry, key=_place_of_notice)
            return True
        if not entries or entries[-1].sequence < entry.sequence:
            entries.append(entry)
            return True
        if any(known.sequence == entry.sequence for known in entries):
            return False
        insort(entries, entry, key=lambda known: known.sequence)
        return True

    @property
    def unseen(self) -> bool:
        """Whether it is about somebody who works or helps in the village, which does not see it."""
        return any(entry.data.get("unseen") for entry in self.requests)

    def dump(self) -> dict[str, list[list[Any]]]:
        """The halves as JSON values, for storage: orjson knows no named tuples."""
        halves = {"r": self.requests, "d": self.dispatch, "n": self.notifications}
        return {name: [list(entry) for entry in entries] for name, entries in halves.items()}

    @classmethod
    def load(cls, request_id: UUID, tenant: str, halves: dict[str, Iterable[Sequence[Any]]]) -> Fact:
        """The opposite of `dump`; missing halves are empty."""
        r, d, n = ([Entry(*parts) for parts in halves.get(name, ())] for name in "rdn")
        return cls(request_id, tenant, r, d, n)
