"""How values look on a page: times, clocks, states, roles."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_timedelta

from lianhu_web.words import N_

ROLES = {
    "resident": N_("Resident"),
    "volunteer": N_("Volunteer"),
    "grid_worker": N_("Grid worker"),
    "grid_leader": N_("Grid leader"),
    "branch_secretary": N_("Branch secretary"),
    "clerk": N_("Village clerk"),
    "supervisor": N_("Town supervisor"),
    "integrator": N_("Integrator"),
    "operator": N_("Operator"),
    "admin": N_("Administrator"),
    "service": N_("Service"),
}
STATUSES = {
    "submitted": N_("New"),
    "awaiting_resident": N_("Asked for more"),
    "accepted": N_("Accepted"),
    "dispatched": N_("Dispatched"),
    "claimed": N_("Claimed"),
    "in_progress": N_("Being done"),
    "referred": N_("Referred"),
    "with_town": N_("With the town"),
    "completed": N_("Completed, to be confirmed"),
    "closed_confirmed": N_("Closed, confirmed"),
    "closed_unconfirmed": N_("Closed, unconfirmed"),
    "rejected": N_("Rejected"),
    "merged": N_("Merged"),
    "withdrawn": N_("Withdrawn"),
    "transferred": N_("Transferred"),
}
# Who sees which doors, each with its icon, in the order of the bar.
DOORS = (
    ("/desk", "headphones", N_("Desk"), {"clerk"}),
    ("/calls", "phone-call", N_("Calls"), {"clerk", "grid_leader", "grid_worker", "branch_secretary"}),
    ("/board", "kanban", N_("Board"), {"grid_leader", "branch_secretary", "clerk"}),
    ("/desk/town", "landmark", N_("Town"), {"supervisor"}),
    ("/tasks", "list-checks", N_("Tasks"), {"volunteer", "grid_worker"}),
    ("/reports", "chart-column", N_("Reports"), {"clerk", "branch_secretary", "grid_leader", "supervisor", "admin"}),
    ("/desk/admin", "settings", N_("Administration"), {"admin"}),
    ("/track/mine", "clipboard-list", N_("My orders"), {"resident"}),
    ("/inbox", "inbox", N_("Inbox"), None),
)
NEAR = timedelta(hours=4)


def when(moment: datetime | None, *, zone: ZoneInfo, language: str) -> str:
    """A moment as people of the place read it, with its day; empty for none."""
    if moment is None:
        return ""
    pattern = "M月d日 HH:mm" if language == "zh-CN" else "d MMM, HH:mm"
    return format_datetime(moment.astimezone(zone), pattern, locale=language.replace("-", "_"))


def day(moment: datetime | None, *, zone: ZoneInfo, language: str) -> str:
    """A moment's day in full; empty for none."""
    if moment is None:
        return ""
    return format_date(moment.astimezone(zone), "long", locale=language.replace("-", "_"))


def clock(due: datetime | None, now: datetime, *, language: str, words: Any) -> dict[str, str] | None:
    """What is left until a limit, or how long it has passed: `words`, and `tone` (calm, near, late); None for none."""
    if due is None:
        return None
    left = due - now
    amount = format_timedelta(abs(left), locale=language.replace("-", "_"), threshold=1.2)
    if left < timedelta(0):
        return {"tone": "late", "words": words.gettext("%(amount)s late") % {"amount": amount}}
    return {
        "tone": "near" if left < NEAR else "calm",
        "words": words.gettext("%(amount)s left") % {"amount": amount},
    }


def moment(text: str | datetime | None) -> datetime | None:
    """A moment that came as text (RFC 3339), as in JSON columns; None for none."""
    return datetime.fromisoformat(text) if isinstance(text, str) else text


def filters(zone: ZoneInfo, language: str) -> dict[str, Any]:
    """The filters of templates in a language."""
    return {
        "when": partial(when, zone=zone, language=language),
        "day": partial(day, zone=zone, language=language),
        "moment": moment,
    }
