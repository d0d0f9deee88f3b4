"""Reports as pages and files: figures that open, bulletins that are frozen, reconciliation, who may see them."""

import io
from typing import Any
from uuid import uuid4

import httpx
import openpyxl
import pytest
from pypdf import PdfReader

from reporting_service.api import bulletins
from support.browsing import Person
from support.people import bearer
from support.places import village
from support.walks import orders


@pytest.fixture
async def counted(make_stage: Any) -> tuple[Any, str]:
    """A stage with a village of 30 orders, all counted."""
    stage, home = await make_stage(), village()
    async with stage.working():
        await stage.send(orders(41, [home], 30))
        await stage.applied()
    return stage, home


async def got(stage: Any, path: str, role: str, at: str, **query: Any) -> httpx.Response:
    answer: httpx.Response = await stage.client.get(f"/v1/{path}", headers=bearer(role, at), params=query)
    return answer


async def test_what_is_behind_each_figure_makes_up_the_figure(counted: tuple[Any, str]) -> None:
    stage, home = counted
    total = (await stage.get("tallies", "clerk", home))["total"]
    for field, wanted in (
        ("submitted", 30),
        ("now.open", total["now"]["open"]),
        ("now.closed_confirmed", total["now"]["closed_confirmed"]),
        ("now.overdue", total["now"]["overdue"]),
        ("ever.claimed", total["ever"]["claimed"]),
        ("served_person_times", total["served_person_times"]),
        ("limits.finish_met", total["limits"]["finish_met"]),
    ):
        found: list[Any] = []
        after: dict[str, str] = {}
        while True:
            page = (await got(stage, f"figures/{field}", "clerk", home, org=home, limit=7, **after)).json()
            found += page["items"]
            if "next" not in page:
                break
            after = {"after": page["next"]}
        assert sum(item["amount"] for item in found) == wanted, field
        assert len({item["id"] for item in found}) == len(found), field


async def test_a_figure_that_there_is_none_of_and_one_out_of_reach(counted: tuple[Any, str]) -> None:
    stage, home = counted
    assert (await got(stage, "figures/now.dragons", "clerk", home, org=home)).status_code == 404
    assert (await got(stage, "figures/now.open", "clerk", village(), org=home)).status_code == 404
    assert (await got(stage, "figures/now.open", "volunteer", home, org=home)).status_code == 403


async def test_files_hold_the_same_figures(counted: tuple[Any, str]) -> None:
    stage, home = counted
    csv = (await got(stage, "tallies.csv", "clerk", home, org=home)).content
    assert csv.startswith(b"\xef\xbb\xbf")
    xlsx = (await got(stage, "tallies.xlsx", "clerk", home, org=home)).content
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx)).active
    assert sheet is not None
    lines = [[cell.value for cell in line] for line in sheet.iter_rows()]
    assert lines[-1][lines[0].index("点单")] == 30
    assert len(csv.decode("utf-8-sig").splitlines()) == len(lines)


async def test_an_issued_bulletin_stays_as_it_is(counted: tuple[Any, str]) -> None:
    stage, home = counted
    period = "2026-03"
    draft = (await got(stage, f"bulletins/{home}/{period}", "clerk", home)).json()
    assert draft["revision"] == 0
    issue = f"/v1/bulletins/{home}/{period}/issue"
    first = await stage.client.post(issue, headers=bearer("clerk", home))
    again = await stage.client.post(issue, headers=bearer("clerk", home))
    assert (first.status_code, first.json()["revision"], again.json()["revision"]) == (201, 1, 1)
    async with stage.working():
        await stage.send(orders(43, [home], 5))
        await stage.applied()
    kept = (await got(stage, f"bulletins/{home}/{period}", "clerk", home)).json()
    assert kept["total"] == draft["total"]
    second = (await stage.client.post(issue, headers=bearer("clerk", home))).json()
    moved = (await got(stage, f"bulletins/{home}/{period}", "clerk", home)).json()
    assert second["revision"] == (2 if moved["total"] != draft["total"] else 1)
    assert (await got(stage, f"bulletins/{home}/{period}", "clerk", home, revision=9)).status_code == 404


@pytest.mark.parametrize("period", ["2026-13", "now", "2026-Q9"])
async def test_what_is_no_period_is_said(counted: tuple[Any, str], period: str) -> None:
    stage, home = counted
    answer = await got(stage, f"bulletins/{home}/{period}", "clerk", home)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "period")


async def test_a_bulletin_in_every_form(counted: tuple[Any, str], monkeypatch: pytest.MonkeyPatch) -> None:
    stage, home = counted
    path = f"bulletins/{home}/2026-Q1"
    html = await got(stage, path, "clerk", home, form="html")
    assert "草稿" in html.text
    assert "script" not in html.headers["content-security-policy"]
    pdf = await got(stage, path, "clerk", home, form="pdf")
    assert pdf.status_code == 200, pdf.text
    assert len(PdfReader(io.BytesIO(pdf.content)).pages) >= 1
    assert (await got(stage, path, "clerk", home, form="xlsx")).content[:2] == b"PK"
    assert (await got(stage, path, "clerk", home, form="csv")).content[:3] == b"\xef\xbb\xbf"

    def without_pango(_html: str) -> bytes:
        raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.setattr(bulletins, "_pdf", without_pango)
    away = await got(stage, path, "clerk", home, form="pdf")
    assert (away.status_code, "apt-get" in away.json()["detail"]) == (503, True)


async def test_the_day_of_a_town_and_its_figures(counted: tuple[Any, str]) -> None:
    stage, home = counted
    town = Person(stage.client, [("supervisor", home[:9])], uuid4())
    page = await town.get("/reports")
    assert page.status == 200, page.text
    assert "Waits for volunteers" in page.text
    assert f"/reports/figures/now.open?org={home[:9]}" in page.html
    page = await town.get("/reports", org=home, by="service", **{"from": "2026-01-01", "to": "2026-12-31"})
    assert "The span before" in page.text
    page = await town.get("/reports/figures/submitted", org=home)
    assert "Formula:" in page.text
    assert "/desk/" in page.html
    kept = await town.get("/reports/file", org=home, form="csv")
    assert kept.html.startswith("\ufeff")


async def test_a_bulletin_by_pages(counted: tuple[Any, str]) -> None:
    stage, home = counted
    clerk = Person(stage.client, [("clerk", home)], uuid4())
    page = await clerk.get("/reports/bulletin", period="2026-03")
    assert "A draft" in page.text
    page = await clerk.send("/reports/bulletin/issue")
    assert "Revision 1" in page.text
    admin = Person(stage.client, [("admin", home)], uuid4())
    assert not (await admin.get("/reports/bulletin", period="2026-03")).has_form("/issue")
    assert (await clerk.get("/reports/bulletin", period="now")).status == 422


async def test_reconciliation_says_who_does_not_answer(counted: tuple[Any, str]) -> None:
    stage, home = counted
    page = await Person(stage.client, [("clerk", home)], uuid4()).get("/reports/reconciliation")
    assert page.status == 200
    assert "does not answer" in page.text or "count the same" in page.text or "differ" in page.text


async def test_who_may_not_is_not_let_in(counted: tuple[Any, str]) -> None:
    stage, home = counted
    assert (await Person(stage.client, [("volunteer", home)], uuid4()).get("/reports")).status == 403
    assert (await Person(stage.client).get("/reports")).status == 303
    clerk = Person(stage.client, [("clerk", village())], uuid4())
    assert (await clerk.get("/reports", org=home)).status == 404
    assert (await clerk.post("/reports/bulletin/issue", org=home, period="2026-03")).status == 403
    long_ago = {"from": "1999-01-01", "to": "1999-01-02"}
    empty = await Person(stage.client, [("clerk", home)], uuid4()).get("/reports", **long_ago)
    assert 'class="empty"' in empty.html
