"""How often what was received has failed without saying why, and when that is enough."""

from lianhu_kit.database import is_overrun, is_transient
from lianhu_kit.logs import logger

# A handler that fails without saying why is given so many tries before its event is parked.
TRIES = 5
# One whose statement takes too long may pass on a quieter database, or never: several minutes of tries.
OVERRUNS = 20
_log = logger(__name__)


class Tries:
    """Failures by place: a record's, or an event's that waited."""

    def __init__(self) -> None:
        self._failed: dict[str, int] = {}

    def over(self, place: str) -> None:
        """Forgets a place: what was there is applied, kept or set apart."""
        self._failed.pop(place, None)

    def given_up(self, place: str, error: Exception) -> str | None:
        """Counts a failure that the handler did not explain; why it is parked, where it was the last tolerated."""
        overrun = is_overrun(error)
        if is_transient(error) and not overrun:
            return None
        tries = self._failed[place] = self._failed.get(place, 0) + 1
        if overrun:
            _log.warning("handler takes too long", place=place, tries=tries)
            return f"a statement took too long {tries} times" if tries >= OVERRUNS else None
        _log.exception("handler failed", place=place, tries=tries)
        return f"the handler failed {tries} times: {type(error).__name__}" if tries >= TRIES else None
