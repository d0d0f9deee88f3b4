"""What became of received events, as a metric."""

from collections import Counter
from collections.abc import Callable, Sequence

from lianhu_kit import metrics
from lianhu_kit.envelope import ReceivedEvent
from lianhu_kit.parking import DROPPED
from lianhu_kit.turns import Turn


def count(service: str, events: Sequence[ReceivedEvent], turn: Turn, known: Callable[[ReceivedEvent], bool]) -> None:
    """Counts what a transaction did with the events it was given, once it has committed."""
    # What an operator dropped was counted when it was dropped.
    told = Counter(
        (event.topic, "applied" if known(event) else "unknown") for event in turn.apply if event.type != DROPPED
    )
    told.update((event.topic, "waiting") for event, _ in turn.wait)
    told.update((event.topic, "parked") for event in turn.park)
    kept = {id(event) for event in (*turn.apply, *turn.park, *(event for event, _ in turn.wait))}
    told.update((event.topic, "duplicate") for event in events if id(event) not in kept)
    for (topic, outcome), number in told.items():
        metrics.CONSUMED.labels(service, topic, outcome).inc(number)
