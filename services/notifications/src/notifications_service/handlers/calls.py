"""A call was made, or a knock at the door: its outcome is the delivery's, and decides what follows."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.database import now
from lianhu_kit.identifiers import new_id
from lianhu_kit.outbox import OutgoingEvent, record
from lianhu_kit.timers import Timer, arm
from notifications_service.domain.calls import Outcome, consequence, is_over
from notifications_service.domain.notices import Happening
from notifications_service.events.notifications import Telling, due, failed, sent
from notifications_service.handlers.hear import tell
from notifications_service.handlers.voice import Voice
from notifications_service.queries import matters
from notifications_service.tables import Delivery

WRONG_NUMBER = "wrong-number"
_LOCK = text("SELECT status FROM requests WHERE id = :id FOR UPDATE")


class CallMade(Exception):
    """This call has its outcome already, or nobody needs to make it any more: look at the list again."""

    def __init__(self, state: str, outcome: str | None) -> None:
        super().__init__(state)
        self.state = state
        self.outcome = outcome


@dataclass(frozen=True)
class CallEnded:
    """A call with its outcome, and the next try where one was opened."""

    delivery: Delivery
    following: Delivery | None


async def end_call(session: AsyncSession, call: Delivery, outcome: Outcome, by: UUID) -> CallEnded:
    """Records the outcome once; CallMade where the call is not due any more.

    Publishes `sent` for who was reached, else `failed`, and `due` for the next try where there is one.
    """
    # The request first, as everywhere: what ends a request must see the next try, or come before it.
    status = (await session.execute(_LOCK, {"id": call.request_id})).scalar_one()
    locked = select(Delivery).where(col(Delivery.id) == call.id).with_for_update()
    delivery = (await session.exec(locked.execution_options(populate_existing=True))).one()
    if delivery.state != "due":
        raise CallMade(delivery.state, delivery.outcome)
    follows = consequence(outcome, delivery.attempt)
    delivery.state, delivery.reason = follows.state, follows.reason
    delivery.outcome, delivery.by, delivery.updated_at = outcome.value, by, now(session)
    delivery.sequence += 1
    telling = _telling(delivery)
    events = [
        sent(telling, delivery.sequence, by)
        if follows.reason is None
        else failed(telling, delivery.sequence, follows.reason)
    ]
    following = None
    if follows.try_again and not is_over(status):
        following = _next_try(session, delivery)
        session.add(following)
        events.append(due(_telling(following)))
    await _publish(session, events)
    if follows.tell_clerks:
        # The API may not write into other people's inboxes: the worker tells them.
        await arm(session, WRONG_NUMBER, delivery.id, now(session), tenant=delivery.tenant)
    return CallEnded(delivery, following)


async def tell_wrong_number(session: AsyncSession, voice: Voice, timer: Timer) -> None:
    """The clerks hear that a number was wrong."""
    delivery = await session.get(Delivery, timer.aggregate)
    if delivery is None or delivery.request_id is None:
        return
    matter = await matters.move(session, delivery.request_id)
    if matter is not None:
        await tell(session, voice, Happening(str(delivery.id), "call.wrong-number", delivery.by, {}), matter)


async def _publish(session: AsyncSession, events: list[OutgoingEvent]) -> None:
    await session.flush()
    await record(session, events)


def _next_try(session: AsyncSession, made: Delivery) -> Delivery:
    """The same thing to tell, once more: a delivery of its own."""
    kept = made.model_dump(exclude={"id", "sequence", "attempt", "state", "reason", "outcome", "by", "created_at"})
    moment = now(session)
    return Delivery(
        **kept | {"updated_at": moment},
        id=new_id(),
        sequence=1,
        attempt=made.attempt + 1,
        state="due",
        created_at=moment,
    )


def _telling(delivery: Delivery) -> Telling:
    return Telling(
        delivery.id, delivery.request_id, delivery.tenant, delivery.purpose, delivery.template, delivery.channel,
        delivery.audience, delivery.person, delivery.attempt,
    )  # fmt: skip
