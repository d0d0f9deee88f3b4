"""How the demo waits, tells stories in their order, and notices what did not happen."""

import asyncio
import io
from typing import Any

import pytest
from rich.console import Console

from lianhu_tools.demo import closing, shown
from lianhu_tools.demo.calls import Answer, Missed, until
from lianhu_tools.demo.programme import STORIES, Story, play_one
from lianhu_tools.demo.stage import Stage
from lianhu_tools.demo.telling import Teller, Told
from lianhu_tools.seed.people import roster
from lianhu_tools.seed.places import DUIAN


def paper() -> Console:
    return Console(file=io.StringIO(), soft_wrap=True, highlight=False)


def written(out: Console) -> str:
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


async def test_until_gives_the_first_thing_that_is_found() -> None:
    looks = iter([None, "", "found"])

    async def look() -> str | None:
        return next(looks)

    assert await until(look, what="something", every=0.001) == "found"


async def test_until_says_what_was_waited_for() -> None:
    async def look() -> None:
        return None

    with pytest.raises(Missed, match="the tap fixed: not within 0 s"):
        await until(look, what="the tap fixed", seconds=0.01, every=0.001)


async def test_stories_are_told_in_their_order_whichever_ends_first() -> None:
    first, second = Told(1, "一", "one", "村"), Told(2, "二", "two", "村")
    second.say("后", "told later")
    second.ended = True
    out = paper()
    telling = asyncio.create_task(Teller(out).tell([first, second]))
    await asyncio.sleep(0)
    assert "told later" not in written(out)
    first.say("先", "told before")
    first.failed, first.ended = "the tap still leaks", True
    await telling
    text = written(out)
    assert text.index("told before") < text.index("the tap still leaks") < text.index("told later")


def stage(told: Told) -> Stage:
    nobody: Any = None  # nothing is called here
    return Stage(nobody, told, DUIAN, roster(DUIAN))


async def test_a_step_that_did_not_happen_fails_its_story() -> None:
    async def happens(stage: Stage) -> None:
        stage.told.say("好", "done")
        raise Missed("nobody came")

    told = Told(1, "一", "one", "村")
    await play_one(stage(told), Story(1, DUIAN, "一", "one", happens))
    assert told.failed == "nobody came"
    assert told.ended


async def test_a_story_that_happens_has_not_failed() -> None:
    async def happens(stage: Stage) -> None:
        stage.told.say("好", "done")

    told = Told(1, "一", "one", "村")
    await play_one(stage(told), Story(1, DUIAN, "一", "one", happens))
    assert told.failed is None
    assert told.ended


def test_eleven_stories_stand_in_their_order_before_the_crowd() -> None:
    assert [story.number for story in STORIES] == list(range(1, 12))


def test_the_kind_of_a_problem_is_the_last_part_of_its_type() -> None:
    assert Answer(409, {"type": "/problems/already-claimed"}).problem == "already-claimed"
    assert Answer(409, {"type": "urn:lianhu:problem:not-yet"}).problem == "not-yet"
    assert Answer(502, "bad gateway").problem == ""


def row(submitted: int, now: dict[str, int]) -> dict[str, Any]:
    ends = ("rejected", "referred", "merged", "withdrawn", "transferred", "closed_confirmed", "closed_unconfirmed")
    work = {"matters": 1, "volunteer_person_times": 0, "served_person_times": 0, "service_minutes": 0}
    return {"submitted": submitted, "now": {"open": 0, **dict.fromkeys(ends, 0), **now}, **work}


def test_tallies_that_add_up_are_taken() -> None:
    village = row(3, {"open": 2, "closed_confirmed": 1})
    closing.add_up({"org": "441702008", "rows": [village], "total": village})


def test_standings_that_lose_a_request_are_noticed() -> None:
    village = row(3, {"open": 2})
    with pytest.raises(Missed, match="do not add up to its requests"):
        closing.add_up({"org": "441702008", "rows": [village], "total": village})


def test_rows_that_miss_the_total_are_noticed() -> None:
    village, total = row(1, {"open": 1}), row(2, {"open": 2})
    with pytest.raises(Missed, match="submitted of the rows"):
        closing.add_up({"org": "441702008", "rows": [village], "total": total})


def step(service: str, name: str, **told: Any) -> dict[str, Any]:
    return {"service": service, "step": name, **told}


def test_a_journey_tells_equal_messages_once_and_grades_in_full() -> None:
    out = paper()
    steps = [
        step("requests", "submitted"),
        *[step("notifications", name, purpose="offer", channel="inbox") for _ in range(3) for name in ("due", "sent")],
        step("notifications", "due", purpose="confirm", channel="call"),
        step("requests", "confirmed", solved="yes", grade=5),
        step("reporting", "counted"),
    ]
    shown.journeys(out, [{"number": "12345675", "story": "1 一", "final": "closed_confirmed", "told": steps}])
    text = written(out)
    assert "offer inbox sent ×3, confirm call due" in text
    assert "confirmed (yes, 5)" in text
    assert text.index("submitted") < text.index("offer") < text.index("counted")
