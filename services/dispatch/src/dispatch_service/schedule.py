"""{timer kind: handler}: what happens when time has passed. Each locks its assignment and looks at it again."""

from sqlmodel.ext.asyncio.session import AsyncSession

from dispatch_service.domain.states import State
from dispatch_service.handlers import asking, directory, ordering, waves
from dispatch_service.queries.locking import lock_assignment
from dispatch_service.settings import Settings
from dispatch_service.tables import Assignment, Request
from lianhu_kit.timers import Timer, TimerHandler

WAITS = (State.ROUTED, State.OFFERED)


def timers(settings: Settings) -> dict[str, TimerHandler]:
    """The timers of dispatch."""

    async def wave(session: AsyncSession, timer: Timer) -> None:
        """A wave ended: the next begins. A claim that committed first leaves nothing to do."""
        request, assignment = await _locked(session, timer)
        if assignment.state in WAITS:
            await waves.advance(session, settings, request, assignment)

    async def widen(session: AsyncSession, timer: Timer) -> None:
        """Somebody became eligible: they see what the others see."""
        request, assignment = await _locked(session, timer)
        if assignment.state in WAITS:
            await waves.widen(session, settings, request, assignment)

    async def asked(session: AsyncSession, timer: Timer) -> None:
        """Who was asked by name did not answer."""
        request, assignment = await _locked(session, timer)
        await asking.unanswered(session, settings, request, assignment)

    async def order(session: AsyncSession, timer: Timer) -> None:
        """The member of staff became known, or never did."""
        request, assignment = await _locked(session, timer)
        if assignment.state is State.ROUTED and assignment.staff is not None and assignment.taken == 0:
            await ordering.order_or_return(session, settings, request, assignment, assignment.staff, by=None)

    async def newcomers(session: AsyncSession, timer: Timer) -> None:
        """People of a village became known or changed: one look per open assignment follows."""
        await directory.newcomers(session, timer.tenant)

    return {
        waves.WAVE: wave,
        directory.WIDEN: widen,
        asking.ASKED: asked,
        ordering.ORDER: order,
        directory.NEWCOMERS: newcomers,
    }


async def _locked(session: AsyncSession, timer: Timer) -> tuple[Request, Assignment]:
    plain = await session.get_one(Assignment, timer.aggregate)
    return await lock_assignment(session, plain.id, plain.request_id)
