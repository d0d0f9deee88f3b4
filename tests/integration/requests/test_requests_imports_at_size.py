"""A town's lists at their real size: 35,000 lines in under a minute, seen from elsewhere while they run."""

import asyncio
import time
from typing import Any

import pytest

from integration.requests.lists import RUNNING, Lists, table, workbook
from support import bearer, village
from support.requests_rig import Rig

LINES = 35_000
VILLAGES = 20
SECONDS = 60.0


def bad(place: int) -> bool:
    """Three of a hundred lines are wrong."""
    return place % 100 in (7, 40, 93)


@pytest.mark.timeout(300)
async def test_a_towns_people_come_in_within_a_minute(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    town = village()[:9]
    lists = Lists(rig, town)
    villages = [f"{town}{place:03}" for place in range(VILLAGES)]
    units = [{"code": code, "name": "示例村"} for code in villages]
    units += [{"code": f"{code}001", "name": "示例网格"} for code in villages]
    await rig.good("PUT", "/v1/org-units", bearer("admin", town), {"items": units})
    rows: list[tuple[str, ...]] = [("姓名", "电话", "村代码", "网格代码", "角色", "技能")]
    for place in range(LINES):
        code = villages[place % VILLAGES]
        phone = "12" if bad(place) else f"1{3_000_000_000 + place}"
        rows.append((f"示例{place}", phone, code, f"{code}001", "志愿者" if place % 4 == 0 else "居民", "理发"))
    content = table(*rows)
    wrong = sum(bad(place) for place in range(LINES))
    figures: dict[str, float] = {}

    async def timed(name: str, asking: Any) -> Any:
        """How long a step takes, what is seen of it meanwhile, and how long others wait for an answer."""
        seen: set[int] = set()
        waits: list[float] = []
        began = time.monotonic()
        work = asyncio.ensure_future(asking)
        while not work.done():
            asked = time.monotonic()
            items = (await rig.good("GET", "/v1/imports", lists.admin))["items"]
            waits.append(time.monotonic() - asked)
            seen |= {each["done"] for each in items if each["total"] and each["state"] in RUNNING}
            await asyncio.sleep(0.2)
        figures[name] = time.monotonic() - began
        figures[f"{name}: longest wait of others"] = max(waits)
        if name in ("apply", "undo"):  # a check is soon over, and the reading of a workbook is no line of it yet
            assert len(seen) > 2, f"{name}: nobody saw its progress, only {sorted(seen)}"
        return await work

    known = await timed("check", lists.send("people", content))
    assert known["counts"] == {"new": LINES - wrong, "changed": 0, "same": 0, "wrong": wrong}
    known = await timed("apply", lists.ask(known, "apply", skip_errors=True))
    assert (known["state"], known["done"]) == ("applied", LINES - wrong)
    told = await rig.rows.fetchval(
        "SELECT count(*) FROM outbox WHERE tenant = ANY($1) AND payload LIKE '%理发%'", villages
    )
    assert told == sum(not bad(place) and place % 4 == 0 for place in range(LINES))
    again = await timed("check of the xlsx", lists.send("people", workbook(*rows)))
    assert again["counts"] == {"new": 0, "changed": 0, "same": LINES - wrong, "wrong": wrong}
    known = await timed("undo", lists.ask(known, "undo"))
    assert known["state"] == "undone"
    with capsys.disabled():
        print(f"\n{LINES} lines, {wrong} of them wrong, {len(content) / 1e6:.1f} MB:")
        for name, seconds in figures.items():
            print(f"  {name}: {seconds:.1f} s")
    assert figures["check"] + figures["apply"] < SECONDS
    assert figures["undo"] < SECONDS
