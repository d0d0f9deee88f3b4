"""Causes and traces: continued where one was given, fresh where not, and back to what was."""

import asyncio
import re

import pytest

from lianhu_kit.context import caused_by, continued, current_cause, new_traceparent

GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SHAPE = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01")


def test_a_given_trace_goes_on_with_a_step_of_its_own() -> None:
    one, two = continued(GIVEN), continued(GIVEN)
    assert SHAPE.fullmatch(one)
    assert one[3:35] == two[3:35] == GIVEN[3:35]
    assert len({one[36:52], two[36:52], GIVEN[36:52]}) == 3


@pytest.mark.parametrize(
    "bad",
    [None, "", "garbage", "\x00", "00-" + "0" * 32 + "-b7ad6b7169203331-01", GIVEN.replace("0af7", "zzzz"), "é" * 55],
)
def test_what_is_no_trace_begins_a_new_one(bad: str | None) -> None:
    fresh = continued(bad)
    assert SHAPE.fullmatch(fresh)
    assert fresh[3:35] not in GIVEN


def test_new_traces_differ() -> None:
    assert len({new_traceparent()[3:35] for _ in range(100)}) == 100


async def test_causes_nest_and_do_not_leak_between_tasks() -> None:
    async def task(name: str) -> str:
        with caused_by(name, GIVEN):
            await asyncio.sleep(0)
            return current_cause().id

    with caused_by("outer", None) as outer:
        assert await asyncio.gather(*map(task, "ab")) == ["a", "b"]
        with caused_by("inner", outer.traceparent) as inner:
            assert current_cause() == inner
            assert inner.traceparent[3:35] == outer.traceparent[3:35]
        assert current_cause() == outer
    assert current_cause().id not in ("outer", "inner")
