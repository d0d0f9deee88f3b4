"""What one transaction does with the events it was given: a rule over sequences, without any I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lianhu_kit.envelope import ReceivedEvent
from lianhu_kit.ledger import Key, Position
from lianhu_kit.parking import DROPPED

Waiting = Sequence[tuple[ReceivedEvent, str | None]]
_Stored = dict[tuple[str, str, int | None], ReceivedEvent]


@dataclass
class Turn:
    """What one transaction does with its events."""

    apply: list[ReceivedEvent] = field(default_factory=list)
    wait: list[tuple[ReceivedEvent, str | None]] = field(default_factory=list)
    forget: list[ReceivedEvent] = field(default_factory=list)
    park: list[ReceivedEvent] = field(default_factory=list)
    behind: list[ReceivedEvent] = field(default_factory=list)
    lasts: dict[Key, int] = field(default_factory=dict)


def sort(
    events: Sequence[ReceivedEvent],
    positions: Mapping[Key, Position],
    fresh: set[str],
    waiting: Waiting,
    compacted: Mapping[str, bool],
    *,
    follow: bool,
) -> Turn:
    """Decides for each event: apply, drop as a duplicate, wait or park. Keys in order, so that locks are too.

    `fresh` are the ids never seen before, of events without a sequence; `waiting` is what is stored under these keys;
    with `follow`, what waited for just these events is applied after them. Positions are moved on.
    """
    turn = Turn()
    stored: _Stored = {(event.topic, event.key, event.sequence): event for event, _ in waiting}
    for event in sorted(events, key=lambda event: (event.topic, event.key)):  # stable: order per key stays
        if event.sequence is None:
            if event.id in fresh:
                fresh.discard(event.id)
                turn.apply.append(event)
            continue
        key = (event.topic, event.key)
        position = positions[key]
        if event.sequence <= position.last:
            if (own := stored.pop((*key, event.sequence), None)) is not None:
                turn.forget.append(own)
            continue
        if position.blocked is not None:
            turn.park.append(event)
        elif event.sequence == position.last + 1 or compacted.get(event.topic, False):
            _take(turn, event, position, stored, follow)
        else:
            turn.wait.append((event, None))
    return turn


def _take(turn: Turn, event: ReceivedEvent, position: Position, stored: _Stored, follow: bool) -> None:
    """Applies an event, and after it those that waited for just this one, or leaves these for later."""
    following: ReceivedEvent | None = event
    while following is not None and following.sequence is not None:
        key = (following.topic, following.key)
        own = stored.pop((*key, following.sequence), None)
        # Delivered again after an operator dropped it: what they decided counts, not what came.
        turn.apply.append(own if own is not None and own.type == DROPPED else following)
        turn.lasts[key] = position.last = following.sequence
        if own is not None:
            turn.forget.append(own)
        following = stored.get((*key, position.last + 1))
        if following is not None and not follow:
            turn.behind.append(following)
            return
