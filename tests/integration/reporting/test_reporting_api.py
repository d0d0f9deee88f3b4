"""The calls of reporting: who may ask for what, spans, formulas, empty reports, reconciliation."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from reporting_service.domain.statuses import STATUSES
from support.histories import REQUESTS
from support.people import bearer
from support.places import village
from support.walks import orders

Counts = dict[str, int]


@pytest.fixture
async def counted(make_stage: Any) -> tuple[Any, str, list[Any]]:
    """A stage with a village of 30 orders, all counted."""
    stage, home = await make_stage(), village()
    events = orders(41, [home], 30)
    async with stage.working():
        await stage.send(events)
        await stage.applied()
    return stage, home, events


async def asked(stage: Any, path: str, role: str, at: str, **query: Any) -> httpx.Response:
    """A GET's answer, whatever it is."""
    person = query.pop("person", None)
    answer: httpx.Response = await stage.client.get(f"/v1/{path}", headers=bearer(role, at, person), params=query)
    return answer


async def test_reports_by_reach(counted: tuple[Any, str, list[Any]]) -> None:
    stage, home, _ = counted
    for role, at in (("clerk", home), ("supervisor", home[:9]), ("admin", home[:6]), ("operator", home[:2])):
        assert (await stage.get("tallies", role, at, org=home))["total"]["submitted"] == 30
    for role, at, org in (
        ("clerk", home, home[:9]),
        ("clerk", village(), home),
        ("grid_leader", f"{home}001", home),
        ("branch_secretary", f"{home}002", f"{home}001"),
    ):
        assert (await asked(stage, "tallies", role, at, org=org)).status_code == 404
    for role in ("volunteer", "resident", "grid_worker"):
        assert (await asked(stage, "tallies", role, home, org=home)).status_code == 403
    assert (await stage.client.get("/v1/tallies", params={"org": home})).status_code == 401


async def test_a_grid_leader_reads_the_grid_and_grids_make_up_the_village(counted: tuple[Any, str, list[Any]]) -> None:
    stage, home, _ = counted
    by_grid = await stage.get("tallies", "clerk", home, by="grid")
    seen = 0
    for row in by_grid["rows"]:
        seen += row["submitted"]
        if row["key"] is None:
            assert row["name"] == "未定网格"
            continue
        own = await stage.get("tallies", "grid_leader", row["key"], by="service")
        assert own["total"] == {name: row[name] for name in own["total"]}
    assert seen == 30 == by_grid["total"]["submitted"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"org": "44170200820"}, "org"),
        ({"org": "4417a2008205"}, "org"),
        ({"org": "44170200820500101"}, "org"),
        ({}, "org"),
        ({"org": "44", "from": "2026-13-01"}, "from"),
        ({"org": "44", "to": "yesterday"}, "to"),
        ({"org": "44", "from": "2026-02-02", "to": "2026-02-01"}, "to"),
        ({"org": "44", "by": "person"}, "by"),
        ({"org": "44", "basis": "closed"}, "basis"),
    ],
)
async def test_bad_questions_name_their_field(make_stage: Any, query: dict[str, str], field: str) -> None:
    stage = await make_stage()
    answer = await asked(stage, "tallies", "supervisor", "44", **query)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_unit_without_requests_has_no_rows_and_a_total_of_zeros(counted: tuple[Any, str, list[Any]]) -> None:
    stage, home, _ = counted
    answer = await stage.get("tallies", "clerk", home, **{"from": "2031-01-01", "to": "2031-01-31"})
    assert (answer["rows"], answer["from"], answer["to"]) == ([], "2031-01-01", "2031-01-31")
    total = answer["total"]
    assert total["submitted"] == 0 == sum(total["now"].values())
    assert total["rates"]["closing"] == {
        "numerator": 0, "denominator": 0, "value": None, "text": "0/0", "ranked": False,
    }  # fmt: skip
    assert total["contact_seconds_p50"] is None
    unknown = await asked(stage, "tallies", "admin", "11", org="110101001001")
    assert unknown.status_code == 404


async def test_every_figure_of_a_row_has_its_formula_in_both_languages(counted: tuple[Any, str, list[Any]]) -> None:
    stage, home, _ = counted
    formulas = (await stage.client.get("/v1/tallies/formulas")).json()["items"]
    assert all(item[language][part] for item in formulas for language in ("zh", "en") for part in ("name", "formula"))
    declared = [item["field"] for item in formulas]
    assert len(set(declared)) == len(declared)
    row = (await stage.get("tallies", "clerk", home, basis="happened"))["total"]
    assert set(_fields(row)) == set(declared)


def _fields(row: dict[str, Any]) -> Iterator[str]:
    for name, value in row.items():
        if isinstance(value, dict) and name != "ended":
            yield from (f"{name}.{inner}" for inner in value)
        else:
            yield name


async def test_a_resident_sees_the_journey_of_their_own_request_alone(counted: tuple[Any, str, list[Any]]) -> None:
    stage, home, events = counted
    first = [event for event in events if event.topic == REQUESTS and event.step == "submitted"]
    mine = next(event for event in first if event.data["reporter"] is not None)
    path = f"requests/{mine.key}/timeline"
    told = await stage.get(path, "resident", home, person=mine.data["reporter"])
    assert told["steps"][0]["step"] == "submitted"
    assert told == await stage.get(path, "resident", "", person=mine.data["reporter"])
    assert [step["service"] for step in told["steps"]].count("reporting") == 1
    assert (await asked(stage, path, "resident", home, person=str(uuid4()))).status_code == 404
    assert (await asked(stage, path, "clerk", village())).status_code == 404
    assert (await asked(stage, path, "volunteer", home)).status_code == 403
    people = {event.data[name] for event in events for name in ("by", "person") if event.data.get(name)}
    assert people
    for event in first:
        shown = (await asked(stage, f"requests/{event.key}/timeline", "clerk", home)).text
        assert not [person for person in people if person in shown]


def answering(stage: Any, **counts: Counts | int | list[Counts]) -> list[httpx.Request]:
    """Lets requests and dispatch answer these counts, or this status; a list is answered one after the other."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        service = {8001: "requests", 8002: "dispatch"}[request.url.port or 0]
        given = counts[service]
        if isinstance(given, list):
            given = given.pop(0) if len(given) > 1 else given[0]
        if isinstance(given, int):
            return httpx.Response(given)
        return httpx.Response(200, json={"by_status": given, "as_of": "2026-01-01T00:00:00Z"})

    stage.app.state.others = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return seen


async def _true_counts(stage: Any, home: str) -> tuple[Counts, Counts]:
    statuses = await stage.rows("SELECT status AS name, count(*) AS n FROM facts WHERE tenant = :t GROUP BY 1", t=home)
    states = await stage.rows(
        "SELECT assignment AS name, count(*) AS n FROM facts WHERE tenant = :t AND assignment IS NOT NULL GROUP BY 1",
        t=home,
    )
    return {row.name: row.n for row in statuses}, {row.name: row.n for row in states}


async def test_reconciliation(counted: tuple[Any, str, list[Any]]) -> None:
    stage, home, _ = counted
    statuses, states = await _true_counts(stage, home)

    seen = answering(stage, requests=dict(statuses), dispatch=dict(states))
    told = await stage.get("reconciliation", "supervisor", home[:9], org=home, **{"from": "2026-01-01"})
    assert (told["balanced"], told["submitted"], told["in_flight"]) == (True, 30, 0)
    assert (told["differences"], told["unavailable"]) == ([], [])
    assert sum(told["now"][status] for status in STATUSES) == 30
    assert len(seen) == 2
    for request in seen:  # under the caller's own token, for the same unit and days
        assert request.headers["authorization"].startswith("Bearer ")
        assert dict(request.url.params) == {"org": home, "from": "2026-01-01"}
        assert request.url.path == "/v1/counts"

    lost = {**statuses, "submitted": statuses.get("submitted", 0) + 1}
    answering(stage, requests=lost, dispatch=dict(states))
    told = await stage.get("reconciliation", "clerk", home)
    assert told["balanced"] is False
    assert told["differences"] == [
        {
            "service": "requests",
            "status": "submitted",
            "here": statuses.get("submitted", 0),
            "there": lost["submitted"],
        }
    ]

    answering(stage, requests=dict(statuses), dispatch=503)
    told = await stage.get("reconciliation", "clerk", home)
    assert (told["balanced"], told["unavailable"], told["differences"]) == (None, ["dispatch"], [])

    answering(stage, requests=lost, dispatch=401)
    assert (await stage.get("reconciliation", "clerk", home))["balanced"] is False

    answering(stage, requests=[lost, lost, dict(statuses)], dispatch=dict(states))  # it was only on its way
    told = await stage.get("reconciliation", "clerk", home)
    assert (told["balanced"], told["in_flight"], told["differences"]) == (True, 0, [])

    less = {**statuses, "submitted": statuses.get("submitted", 0) - 1}
    answering(stage, requests=[lost, less] * 100, dispatch=dict(states))  # never at rest, never lost
    told = await stage.get("reconciliation", "clerk", home)
    assert (told["balanced"], told["in_flight"], told["differences"]) == (True, 1, [])


@pytest.mark.parametrize("table", ["tallies", "span_tallies"])
async def test_reconciliation_sees_tallies_that_left_their_facts(
    counted: tuple[Any, str, list[Any]], table: str
) -> None:
    stage, home, _ = counted
    day = "day" if table == "tallies" else "month"
    left = await stage.rows(
        f"UPDATE {table} SET value = value + 1 WHERE ctid = (SELECT ctid FROM {table} WHERE tenant = :t AND value > 0 "
        "AND basis = 'submitted' AND starts_with(measure, 'now.') AND measure <> 'now.suspended' "
        f"ORDER BY {day} LIMIT 1) RETURNING {day}::text AS day",
        t=home,
    )
    # Compared is what people read: a day's sums for a day, those of all time for all time.
    span = {} if table == "span_tallies" else {"from": left[0].day, "to": left[0].day}
    statuses, states = await _true_counts(stage, home)
    answering(stage, requests=dict(statuses), dispatch=dict(states))
    told = await stage.get("reconciliation", "clerk", home, **span)
    assert "reporting" in {difference["service"] for difference in told["differences"]}
    assert (await asked(stage, "reconciliation", "clerk", home, org=f"{home}001")).status_code == 422
    assert (await asked(stage, "reconciliation", "operator", home, org=home)).status_code == 403
