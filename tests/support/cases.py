"""What became of one request, read from its raw events the long way: no code of reporting."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from support.histories import DISPATCH, NOTIFICATIONS, REQUESTS, Raw

OPEN = ("submitted", "awaiting_resident", "accepted", "dispatched", "claimed", "in_progress", "with_town", "completed")
ENDED = ("rejected", "referred", "merged", "withdrawn", "transferred", "closed_confirmed", "closed_unconfirmed")
_OWED = set(OPEN) - {"completed"}
_STATUS_OF_STATE = {
    "routed": "dispatched", "offered": "dispatched", "assigned": "dispatched", "claimed": "claimed",
    "in_progress": "in_progress", "completed": "completed", "returned": "accepted",
}  # fmt: skip
_NO_MOVES = {"contacted", "limit-near", "limit-passed", "suspended", "resumed", "extended"}


def _at(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


@dataclass
class Case:
    """One request's events, each once, in the order of their times."""

    asked: list[Raw]
    worked: list[Raw]
    noticed: list[Raw]

    def __post_init__(self) -> None:
        self.submitted = self.asked[0]
        self.stood = self._stood()

    def _stood(self) -> list[tuple[datetime, str]]:
        """Every status with its time, by playing the events in the order of their times."""
        moves = [event for event in self.asked if event.step not in _NO_MOVES]
        stood: list[tuple[datetime, str]] = []
        word, current = "", 0
        for event in sorted([*moves, *self.worked], key=lambda event: event.time):
            status: str | None
            if event.topic == REQUESTS:
                status = word = event.data["status"]
                current = event.data["round"] if event.step == "dispatch-requested" else current
            else:
                status = _STATUS_OF_STATE.get(event.data["state"])
                if word != "dispatched" or event.data["round"] != current:
                    continue
                later = [move for move in moves if move.time > event.time]
                if status == "completed" and later and later[0].step != "completed":
                    continue  # requests had ended it another way before it heard
            if status is not None and (not stood or stood[-1][1] != status):
                stood.append((event.time, status))
        return stood

    def status_at(self, moment: datetime | None) -> str | None:
        """Where it stood just before a moment; where it stands now for None."""
        before = [status for at, status in self.stood if moment is None or at < moment]
        return before[-1] if before else None

    def first(self, *steps: str, among: list[Raw] | None = None) -> datetime | None:
        """When one of these steps was first taken."""
        times = [event.time for event in (self.asked if among is None else among) if event.step in steps]
        return min(times, default=None)

    def first_stood(self, *statuses: str) -> datetime | None:
        """When it first stood so."""
        return next((at for at, status in self.stood if status in statuses), None)

    @property
    def completed(self) -> datetime | None:
        """When it was first completed."""
        return self.first_stood("completed")

    @property
    def answers(self) -> list[Raw]:
        """What the resident said."""
        return [event for event in self.asked if event.step == "confirmed"]

    def limit(self, name: str) -> datetime | None:
        """The original limit: the acceptance may have changed it, unless the clock was changed before."""
        due = _at(self.submitted.data["limits"][name])
        for event in self.asked:
            if event.step in ("extended", "suspended") and name == "finish":
                break
            if event.step == "accepted":
                return _at(event.data["limits"][name]) or due
        return due

    @property
    def contact(self) -> datetime | None:
        """The first human contact."""
        told = [datetime.fromisoformat(e.data["at"]) for e in self.asked if e.step == "contacted"]
        told += [
            event.time
            for event in self.noticed
            if event.step == "sent" and event.data["channel"] == "call" and event.data["audience"] != "clerk"
        ]
        return min(told, default=None)

    def fell_due(self, name: str) -> tuple[bool, bool]:
        """Whether a limit was kept or passed, and whether it was kept."""
        due, kept = self.limit(name), self.contact if name == "contact" else self.completed
        if due is None:
            return False, False
        if kept is not None and kept <= due:
            return True, True
        told = [event.time for event in self.asked if event.step == "limit-passed" and event.data["limit"] == name]
        if any(self.completed is None or at < self.completed for at in told):
            return True, False
        over = self.first_stood("completed", *ENDED)
        late = kept is not None and (name == "finish" or over is None or over > due)
        return late, False

    @property
    def calls(self) -> list[Raw]:
        """Calls to confirm."""
        return [e for e in self.noticed if e.data["channel"] == "call" and e.data["purpose"] == "confirm"]

    def ever(self) -> dict[str, datetime | None]:
        """Each thing that a request can ever be, and when it first was."""
        last_at, last = self.stood[-1]
        taken_on = self.first_stood(
            "accepted", "dispatched", "claimed", "in_progress", "completed", "referred", "closed_confirmed",
            "closed_unconfirmed",
        )  # fmt: skip
        reached = [event.time for event in self.calls if event.step == "sent"]
        reached += [event.time for event in self.answers if event.data["source"] == "callback"]
        grades = [event.data["grade"] for event in self.answers]
        escalated = [self.first("reported-up"), self.first("escalated", among=self.worked)]
        return {
            "accepted": taken_on,
            "answered": self.first("answered"),
            "dispatched": self.first("dispatch-requested"),
            "claimed": self.first_stood("claimed"),
            "completed": self.completed,
            "reopened": self.first("reopened"),
            "returned": self.first("returned", among=self.worked),
            "released": self.first("released", among=self.worked),
            "referred": self.first_stood("referred"),
            "extended": self.first("extended"),
            "suspended": self.first("suspended"),
            "escalated": min(filter(None, escalated), default=None),
            "accepted_dropped": last_at if taken_on and last in ("merged", "withdrawn", "transferred") else None,
            "callbacks_due": min([*(event.time for event in self.calls), *reached], default=None),
            "callbacks_reached": min(reached, default=None),
            "reworked_satisfied": self.answers[-1].time if grades and grades[0] <= 2 and grades[-1] >= 3 else None,
        }

    def suspended_at(self, moment: datetime) -> bool:
        """Whether its clock stood still just before a moment."""
        still = False
        changes = [(e.time, e.step) for e in self.asked if e.step in ("suspended", "resumed")]
        status = None
        for at, what in sorted([*changes, *self.stood]):
            if at >= moment:
                break
            if what == "suspended":
                still = still or status in _OWED
            elif what == "resumed":
                still = False
            else:
                status = what
                still = still and status in _OWED
        return still

    def overdue_at(self, moment: datetime) -> bool:
        """Whether work was owed after the finish limit, as it stood just before a moment."""
        due = None
        for event in self.asked:
            if event.time < moment:
                extended = event.step == "extended" and event.data["limit"] == "finish"
                due = _at(event.data["due_at"] if extended else event.data.get("limits", {}).get("finish")) or due
        owed = self.status_at(moment) in _OWED and not self.suspended_at(moment)
        return owed and due is not None and due <= moment

    def done(self, person: str | None) -> list[Raw]:
        """Work reported done, by one person or by all."""
        return [e for e in self.worked if e.step == "completed" and person in (None, e.data["person"])]

    def minutes(self, done: Raw) -> int:
        """Minutes of one helper's work; those of the check-out where none were told."""
        if done.data["minutes"] is not None:
            return int(done.data["minutes"])
        out = [
            event.data["minutes"]
            for event in self.worked
            if event.step == "checked-out"
            and event.time < done.time
            and all(event.data[name] == done.data[name] for name in ("person", "round"))
        ]
        return out[-1] if out else 0

    @property
    def grid(self) -> str | None:
        """Where it was dispatched in the last round, else where requests saw it."""
        rounds = [e.data["round"] for e in self.asked if e.step == "dispatch-requested"]
        routed = [e.data["grid"] for e in self.worked if rounds and e.data["round"] == rounds[-1]]
        seen = [event.data["grid"] for event in self.asked if event.data.get("grid")]
        grid: str | None = (routed or seen or [None])[-1]
        return grid

    @property
    def holders(self) -> set[str]:
        """Who ever held it."""
        return {event.data["person"] for event in self.worked if event.step in ("claimed", "completed")}


def cases(events: Iterable[Raw]) -> list[Case]:
    """The requests in these events, which may come twice and in any order."""
    by_request: dict[str, dict[str, Raw]] = defaultdict(dict)
    for event in events:
        by_request[event.data["request_id"]][event.id] = event
    made = []
    for found in by_request.values():
        ordered = sorted(found.values(), key=lambda event: event.time)
        made.append(Case(*([e for e in ordered if e.topic == t] for t in (REQUESTS, DISPATCH, NOTIFICATIONS))))
    return made
