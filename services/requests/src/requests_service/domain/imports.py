"""The life of an import: checked, applied in one piece, taken back; and what each state allows."""

from datetime import timedelta

RUNNING = {"check": "checking", "apply": "applying", "undo": "undoing"}
# Where the state goes when its work ends well, and when it does not.
ENDS = {"check": ("ready", "failed"), "apply": ("applied", "failed"), "undo": ("undone", "applied")}
_ALLOWED = {"check": {"ready", "failed"}, "apply": {"ready", "failed"}, "undo": {"applied"}}
# Work that says nothing for so long was ended with its process: nothing of it was kept.
SILENT = timedelta(seconds=20)
KEPT = timedelta(days=30)


class NotNow(Exception):
    """The import's state does not allow this; `allowed` is what it does allow."""

    def __init__(self, state: str, allowed: tuple[str, ...]) -> None:
        self.state, self.allowed = state, allowed
        can = ", ".join(allowed) or "nothing until the work under way has ended"
        super().__init__(f"The import is {state}. From here it allows: {can}.")


class LinesWrong(Exception):
    """Lines are wrong. Mend the list and send it again, or apply the good lines alone with skip_errors."""


def allowed(state: str, *, checked: bool) -> tuple[str, ...]:
    """What can be asked of an import: it is applied only once it was checked."""
    return tuple(step for step, states in _ALLOWED.items() if state in states and (checked or step == "check"))


def require(step: str, state: str, *, checked: bool, wrong: int, skip_errors: bool) -> None:
    """Raises NotNow where the state does not allow a step, LinesWrong where wrong lines stand in its way."""
    if step not in (can := allowed(state, checked=checked)):
        raise NotNow(state, can)
    if step == "apply" and wrong and not skip_errors:
        raise LinesWrong
