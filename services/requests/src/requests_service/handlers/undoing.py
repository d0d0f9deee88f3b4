"""Taking one's own last move back within a minute, by the move that leads back."""

from uuid import UUID

from requests_service.domain import undoing
from requests_service.domain.statuses import Move
from requests_service.handlers import passing_on, standing_still
from requests_service.handlers.case import Case
from requests_service.queries.story import own_steps


async def undoable(case: Case, person: UUID) -> bool:
    """Whether somebody can take the last move back now."""
    try:
        await _way_back(case, person)
    except (undoing.NothingToUndo, undoing.UndoOver):
        return False
    return True


async def undo(case: Case, person: UUID, *, reason: str) -> None:
    """Takes the last move back; both moves stay in the story. Raises NothingToUndo, UndoOver, IllegalTransition."""
    if await _way_back(case, person) == Move.SPLIT:
        await passing_on.split(case, reason=reason)
    else:
        await standing_still.resume(case)


async def _way_back(case: Case, person: UUID) -> Move:
    steps = await own_steps(case.session, case.request.id)
    return undoing.undo(steps, accepted=case.request.accepted_by is not None, person=person, now=case.now)
