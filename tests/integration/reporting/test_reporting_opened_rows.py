"""Each figure of each row of the page opens to what makes it up; spans that are compared; bulletins issued at once."""

import asyncio
import re
from datetime import UTC, datetime
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

import pytest

from reporting_service.domain.sheets import value
from reporting_service.web import reports
from support.browsing import Person
from support.people import bearer
from support.places import village
from support.walks import orders

FIELDS = ("submitted", "now.open", "now.overdue", "now.closed_confirmed", "served_person_times")


@pytest.fixture
async def counted(make_stage: Any) -> tuple[Any, str]:
    """A stage with a village of 40 orders, all counted."""
    stage, home = await make_stage(), village()
    async with stage.working():
        await stage.send(orders(52, [home], 40))
        await stage.applied()
    return stage, home


async def behind(stage: Any, home: str, address: str) -> int:
    """What the requests behind a link of the page add up to."""
    parts = urlsplit(address)
    field, query = parts.path.rsplit("/", 1)[1], dict(parse_qsl(parts.query))
    added: int = 0
    after = ""
    while True:
        more = {"after": after} if after else {}
        headers = bearer("clerk", home)
        page = (await stage.client.get(f"/v1/figures/{field}", headers=headers, params={**query, **more})).json()
        added += sum(item["amount"] for item in page["items"])
        if not (after := page.get("next", "")):
            return added


@pytest.mark.parametrize("by", ["village", "grid", "service", "month", "day"])
async def test_each_figure_of_a_row_opens_to_what_makes_it_up(counted: tuple[Any, str], by: str) -> None:
    stage, home = counted
    page = await Person(stage.client, [("clerk", home)], uuid4()).get("/reports", by=by)
    links = re.findall(r'<td class="count"><a href="([^"]+)">(\d+)</a>', page.html)
    chosen = [(unescape(address), int(shown)) for address, shown in links if urlsplit(address).path.endswith(FIELDS)]
    assert chosen
    for address, shown in chosen[:40]:
        assert await behind(stage, home, address) == shown, address


async def test_a_form_with_empty_days_shows_all_time(counted: tuple[Any, str]) -> None:
    stage, home = counted
    clerk = Person(stage.client, [("clerk", home)], uuid4())
    page = await clerk.get("/reports", org="", by="village", **{"from": "", "to": ""})
    assert page.status == 200, page.text
    assert "The span before" not in page.text
    for day in ("0001-01-01", "9999-12-31", "yesterday"):
        assert (await clerk.get("/reports", **{"from": day, "to": day})).status == 422
    assert (await clerk.get("/reports", **{"from": "1900-01-01", "to": "8999-12-31"})).status == 200
    assert (await clerk.get("/reports", **{"from": "2026-12-31", "to": "2026-01-01"})).status == 200


async def test_the_span_before_stands_beside(counted: tuple[Any, str]) -> None:
    stage, home = counted
    days = sorted(row["key"] for row in (await stage.get("tallies", "clerk", home, by="day"))["rows"])
    day = days[-1]
    both = await stage.get("tallies", "clerk", home, compare="true", **{"from": day, "to": day})
    earlier = both["before"]
    alone = await stage.get("tallies", "clerk", home, **{"from": earlier["from"], "to": earlier["to"]})
    assert (earlier["total"], earlier["rows"]) == (alone["total"], alone["rows"])
    answer = await stage.client.get(
        "/v1/tallies", headers=bearer("clerk", home), params={"org": home, "compare": "true"}
    )
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "compare")


async def test_a_bulletin_issued_twice_at_once_is_one_revision(counted: tuple[Any, str]) -> None:
    stage, home = counted
    path = f"/v1/bulletins/{home}/2026-03/issue"
    answers = await asyncio.gather(*(stage.client.post(path, headers=bearer("clerk", home)) for _ in range(6)))
    assert {(answer.status_code, answer.json().get("revision")) for answer in answers} == {(201, 1)}


async def test_a_period_that_has_not_begun_is_not_issued(counted: tuple[Any, str]) -> None:
    stage, home = counted
    answer = await stage.client.post(f"/v1/bulletins/{home}/8000-01/issue", headers=bearer("clerk", home))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "period")


async def test_a_bulletin_is_seen_by_those_above_and_not_beside(counted: tuple[Any, str]) -> None:
    stage, home = counted
    await stage.client.post(f"/v1/bulletins/{home}/2026-03/issue", headers=bearer("clerk", home))
    path = f"/v1/bulletins/{home}/2026-03"
    town = await stage.client.get(path, headers=bearer("supervisor", home[:9]))
    assert (town.status_code, town.json()["revision"]) == (200, 1)
    assert (await stage.client.get(path, headers=bearer("clerk", village()))).status_code == 404
    assert (await stage.client.post(f"{path}/issue", headers=bearer("admin", home))).status_code == 403


async def test_a_revision_says_what_changed(counted: tuple[Any, str]) -> None:
    stage, home = counted
    months = {row["key"]: row["submitted"] for row in (await stage.get("tallies", "clerk", home, by="month"))["rows"]}
    period = max(months, key=lambda month: months[month])
    path = f"/v1/bulletins/{home}/{period}"
    await stage.client.post(f"{path}/issue", headers=bearer("clerk", home))
    async with stage.working():
        await stage.send(orders(53, [home], 40))
        await stage.applied()
    draft = (await stage.client.get(path, headers=bearer("clerk", home), params={"revision": 0})).json()
    issued = (await stage.client.post(f"{path}/issue", headers=bearer("clerk", home))).json()
    second = (await stage.client.get(path, headers=bearer("clerk", home))).json()
    first = (await stage.client.get(path, headers=bearer("clerk", home), params={"revision": 1})).json()
    assert (issued["revision"], first["changed"], second["changed"]) == (2, [], draft["changed"])
    total = {"part": "total", "key": None, "name": "", "field": "submitted"}
    before, after = first["total"]["submitted"], second["total"]["submitted"]
    assert before == months[period] < after
    assert {**total, "before": before, "after": after} in second["changed"]
    assert first["checksum"] != second["checksum"]
    page = await Person(stage.client, [("clerk", home)], uuid4()).get("/reports/bulletin", period=period)
    assert "Changed since the issue before" in page.text
    html = (await stage.client.get(path, headers=bearer("clerk", home), params={"form": "html"})).text
    assert ("较上一版的变化" in html, second["checksum"][:16] in html) == (True, True)


async def test_differences_are_said_in_words(counted: tuple[Any, str], monkeypatch: pytest.MonkeyPatch) -> None:
    stage, home = counted

    async def differing(*_asked: Any) -> dict[str, Any]:
        one = {"service": "dispatch", "status": "completed", "here": 7, "there": 9}
        return {
            "balanced": False, "submitted": 40, "differences": [one, {**one, "status": "unheard"}], "in_flight": 2,
            "unavailable": [], "as_of": datetime.now(UTC),
        }  # fmt: skip

    monkeypatch.setattr(reports, "reconcile", differing)
    page = await Person(stage.client, [("clerk", home)], uuid4()).get("/reports/reconciliation")
    assert "Dispatch, who owns the assignments Completed, to be confirmed 7 9" in page.text
    assert "On their way, no fault: 2" in page.text


async def test_figures_of_what_happened_open_to_what_makes_them_up(counted: tuple[Any, str]) -> None:
    stage, home = counted
    days = sorted(row["key"] for row in (await stage.get("tallies", "clerk", home, by="day", basis="happened"))["rows"])
    span = {"from": days[len(days) // 3], "to": days[2 * len(days) // 3]}
    total = (await stage.get("tallies", "clerk", home, basis="happened", **span))["total"]
    shown = {field: value(total, field) for field in (*FIELDS, "ever.accepted", "limits.finish_due", "solved.yes")}
    assert any(shown.values())
    for field, wanted in shown.items():
        address = f"/reports/figures/{field}?{urlencode({'org': home, 'basis': 'happened', **span})}"
        assert await behind(stage, home, address) == wanted, field
