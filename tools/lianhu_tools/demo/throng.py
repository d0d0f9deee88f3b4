"""Story 12 as it happens: everything is placed at once, then every order comes to its ending."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

from lianhu_tools.demo.calls import Gateway, Missed
from lianhu_tools.demo.course import Course, place
from lianhu_tools.demo.crowd import ORDERS, Part, plan, shares
from lianhu_tools.demo.endings import mark, run
from lianhu_tools.demo.stage import Order, Stage, stage_of
from lianhu_tools.demo.telling import Told
from lianhu_tools.seed.places import VILLAGES, Village

AT_ONCE = 40  # orders that are on their way at the same time
COURSE_SECONDS = 240.0
_SHOWN = 5
Stages = dict[Village, Stage]
TITLE, TITLE_EN = f"再来 {ORDERS} 单", f"{ORDERS} further orders, placed at once"


def told() -> Told:
    """Where the story's lines go."""
    return Told(12, TITLE, TITLE_EN, "六个村（社区）")


async def play(gateway: Gateway, lines: Told) -> list[Stage]:
    """Plays story 12; what did not happen stands in `failed`."""
    stages = {village: stage_of(gateway, lines, village) for village in VILLAGES}
    began = time.monotonic()
    try:
        parts = plan()
        placed = await _place(stages, parts, lines)
        await _drive(stages, parts, placed, lines)
    except Missed as missed:
        lines.failed = str(missed)
    finally:
        lines.seconds = time.monotonic() - began
        lines.ended = True
    return list(stages.values())


async def _place(stages: Stages, parts: Sequence[Part], lines: Told) -> dict[int, Order]:
    began = time.monotonic()
    lines.note(f"placing {len(parts)} orders")
    orders = await asyncio.gather(*(place(stages[part.village], part) for part in parts))
    seconds = time.monotonic() - began
    lines.say(
        f"{len(orders)} 单同时点单",
        f"{len(orders)} orders in {seconds:.1f} s, {len(orders) / seconds:.0f} a second",
        ", ".join(f"{name} {number}" for name, number in shares(list(parts)).items()),
    )
    return {part.number: order for part, order in zip(parts, orders, strict=True)}


async def _drive(stages: Stages, parts: Sequence[Part], placed: dict[int, Order], lines: Told) -> None:
    """Brings every order to its ending, so many at a time; Missed says how many did not get there, and why."""
    turn, ended, missed = asyncio.Semaphore(AT_ONCE), Counter[str](), list[str]()

    async def one(part: Part) -> None:
        async with turn:
            quiet = Told(lines.number, lines.title, lines.title_en, lines.place)
            stage = Stage(
                stages[part.village].gateway, quiet, part.village, stages[part.village].people, every=0.8, first=0.8
            )
            try:
                async with asyncio.timeout(COURSE_SECONDS):
                    await run(Course(stage, part, placed[part.number], placed))
                ended[part.ending] += 1
            except Missed as what:
                missed.append(f"{mark(part)}: {what}")
            except TimeoutError:
                missed.append(f"{mark(part)}: not ended within {COURSE_SECONDS:.0f} s; last: {quiet.doing}")
            lines.note(f"{ended.total()} of {len(parts)} orders have come to their ending")

    began = time.monotonic()
    # A merged order follows one that must stay open: those that wait longest for a time to pass begin first.
    ordered = sorted(parts, key=lambda part: part.ending != "silent")
    await asyncio.gather(*(one(part) for part in ordered))
    if missed:
        more = f" … and {len(missed) - _SHOWN} more" if len(missed) > _SHOWN else ""
        raise Missed(
            f"{len(missed)} of {len(parts)} orders did not come to their ending: {'; '.join(missed[:_SHOWN])}{more}"
        )
    lines.say(
        f"{ended.total()} 单各有各的结果",
        f"every one came to its ending in {time.monotonic() - began:.0f} s",
    )
