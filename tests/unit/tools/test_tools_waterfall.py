"""A request's way as a tree: each event below what caused it, with its bar and its durations."""

from datetime import UTC, datetime, timedelta

from lianhu_kit.identifiers import new_id
from lianhu_tools.looks.waterfall import Hop, drawn, earliest, grown

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def hop(name: str, cause: str, at: float, out: float | None, service: str = "requests", taken: str = "") -> Hop:
    """An event recorded `at` seconds after the first, acknowledged after `out` more."""
    published = None if out is None else BEGIN + timedelta(seconds=at + out)
    recorded = BEGIN + timedelta(seconds=at)
    return Hop(
        name, service, f"lianhu.{name}.v1", "topic", "key", 1, cause, "trace", recorded, published, taken.split()
    )


def test_events_stand_below_what_caused_them_and_calls_beside_each_other() -> None:
    second = hop("kit.second", "kit.first", 0.5, 0.5, "dispatch")
    roots = grown([hop("kit.later", "call-2", 9, 1), second, hop("kit.first", "call-1", 0, 0.25, taken="dispatch")])
    assert [root.id for root in roots] == ["kit.first", "kit.later"]
    assert [below.id for below in roots[0].then] == ["kit.second"]
    lines = list(drawn(roots))
    assert [line.split()[1] for line in lines if line.startswith("call")] == ["call-1", "call-2"]
    first, below = lines[1], lines[2]
    assert first.split("|")[1] == "█" * 10 + " " * 30, "a quarter of the block's time"
    assert first.endswith("out 250 ms  → dispatch")
    assert below.split("|")[1] == " " * 20 + "█" * 20
    assert "└ dispatch: kit.second.v1" in below
    assert "+500 ms" in below


def test_what_the_broker_has_not_is_said_and_a_lone_event_is_drawn() -> None:
    [call, line] = drawn(grown([hop("kit.first", "call", 0, None)]))
    assert call.startswith("call call")
    assert line.endswith("not published")
    assert grown([hop("kit.first", "call", 0, None)])[0].as_json()["published"] is None


def test_days_before_a_request_was_made_are_passed_over() -> None:
    made = datetime.now(UTC)
    since = earliest(str(new_id()))
    assert timedelta(hours=23) < made - since < timedelta(hours=25)
    assert earliest("00000000-0000-4000-8000-000000000000").year == 1970, "an id that tells no time"
