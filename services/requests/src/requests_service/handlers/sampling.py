"""Samples called back: whether a request is one, and what the resident said once nothing can be confirmed any more."""

from dataclasses import dataclass
from datetime import tzinfo
from typing import Literal

from requests_service.domain import grades
from requests_service.domain.sampling import draw_key, month_at, open_months
from requests_service.domain.statuses import TRANSITIONS, Move
from requests_service.handlers.case import Case
from requests_service.handlers.ending import doers
from requests_service.queries.samples import is_drawn


@dataclass(frozen=True)
class Draw:
    """What the draw needs: the deployment's key, and the zone in which months begin."""

    key: bytes
    zone: tzinfo

    async def holds(self, case: Case) -> bool:
        """Whether a request is in the sample of this month or of the one before."""
        completed = case.request.completed_at
        if completed is None:
            return False
        month = month_at(completed, self.zone)
        if month not in open_months(case.now, self.zone):
            return False
        return await is_drawn(case.session, case.request, month, draw_key(self.key, month))


class NotSampled(Exception):
    """Nothing is noted here: confirm what waits for a word, and call back what is in the sample or badly graded."""


async def to_note(case: Case, draw: Draw) -> bool:
    """Whether the town calls a request back and has nothing to confirm: it is confirmed, or being done again."""
    if Move.CONFIRM in TRANSITIONS[case.status]:
        return False
    badly = {case.request.first_grade, case.request.last_grade} & grades.LOWEST_TWO
    return bool(badly) or await draw.holds(case)


async def called_back(
    case: Case, *, outcome: Literal["stands", "differs", "not-reached"], words: str | None, draw: Draw
) -> None:
    """Keeps what a resident said who was called back; the state and the first word stay as they are.

    What waits for a word is confirmed by a call back instead. Raises NotSampled, NotYourCallback.
    """
    if not await to_note(case, draw):
        raise NotSampled
    if case.by is not None:
        grades.require_disinterested(case.by, accepted_by=case.request.accepted_by, doers=await doers(case))
    case.note("requests", "sampled", case.now, case.by, {"outcome": outcome, **({"words": words} if words else {})})
    case.request.version += 1
    await case.save()
