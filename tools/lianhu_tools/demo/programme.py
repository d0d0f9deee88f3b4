"""The stories in their order, and how one is played."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lianhu_tools.demo.calls import Missed
from lianhu_tools.demo.stage import Stage
from lianhu_tools.demo.stories import duian, manda, shizhu, xijing
from lianhu_tools.demo.telling import Told
from lianhu_tools.seed.places import DUIAN, MANDA, SHIZHU, XIJING, Village

STORY_SECONDS = 150.0


@dataclass(frozen=True)
class Story:
    """One story: where, what it is called, and what happens."""

    number: int
    village: Village
    title: str
    title_en: str
    happens: Callable[[Stage], Awaitable[None]]


STORIES: tuple[Story, ...] = (
    Story(1, DUIAN, "水龙头漏水", "A leaking tap", duian.leaking_tap),
    Story(2, XIJING, "上门理发", "A haircut at home", xijing.haircut_at_home),
    Story(3, SHIZHU, "医保代办", "A medical insurance errand", shizhu.insurance_errand),
    Story(4, XIJING, "商业街停车", "Parking, referred to an agency", xijing.parking),
    Story(5, XIJING, "川海花园高空抛物", "Things thrown from windows", xijing.thrown_from_windows),
    Story(6, MANDA, "没人领单", "Nobody claims", manda.nobody_claims),
    Story(7, SHIZHU, "留守儿童的一课", "A left-behind child's lesson", shizhu.childs_lesson),
    Story(8, DUIAN, "评了两分", "Graded two", duian.graded_two),
    Story(9, DUIAN, "当场答复与不予受理", "Answered at once, and rejected", duian.answered_and_rejected),
    Story(10, DUIAN, "交回与撤单", "Given back, and withdrawn", duian.given_back),
    Story(11, DUIAN, "没人接电话", "Nobody answers", duian.nobody_answers),
)


def told_of(story: Story) -> Told:
    """Where a story's lines go."""
    return Told(story.number, story.title, story.title_en, story.village.name)


async def play_one(stage: Stage, story: Story) -> None:
    """Plays one story to its end or to the first step that did not happen, which then stands in `failed`."""
    told, began = stage.told, time.monotonic()
    try:
        async with asyncio.timeout(STORY_SECONDS):
            await story.happens(stage)
    except Missed as missed:
        told.failed = str(missed)
    except TimeoutError:
        told.failed = f"not ended within {STORY_SECONDS:.0f} s; last: {told.doing or 'under way'}"
    finally:
        told.seconds = time.monotonic() - began
        told.ended = True
