"""What a service reads: which handler takes which type, and what a handler may answer besides success."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.envelope import ReceivedEvent
from lianhu_kit.statements import Statements


class NotYet(Exception):
    """Something that this event stands on has not arrived: it waits for the event of that key, then is tried again."""

    def __init__(self, awaits: str | None = None) -> None:
        super().__init__(f"waits for {awaits or 'its own key on another topic'}")
        self.awaits = awaits


class Poison(Exception):
    """An event that can never be applied: it is parked, with all later events of its key, until an operator decides."""


Handle = Callable[[AsyncSession, ReceivedEvent, Any], Awaitable[None]]
Apply = Callable[[Statements, list[tuple[ReceivedEvent, BaseModel]]], Awaitable[None]]
# Which books a transaction writes to, asked at its begin, for services that rebuild into another generation.
Generation = Callable[[Statements], Awaitable[int]]


async def _nothing(_session: AsyncSession, _event: ReceivedEvent, _data: BaseModel) -> None:
    """For consumers that apply whole batches."""


def _always(_data: BaseModel) -> bool:
    """Every event is of interest."""
    return True


@dataclass(frozen=True)
class Subscription:
    """What a consumer reads of an event type, and what it does with one."""

    model: type[BaseModel]
    handle: Handle = _nothing
    # Whether an event is of any interest, by its data alone: what is not costs no round trip.
    concerns: Callable[[Any], bool] = _always
    # What the handler locks first where that is not the key's own row, the same for all events of a key: a batch goes
    # in its order, so that two batches never lock the same rows crosswise.
    locks: Callable[[Any], str] | None = None
