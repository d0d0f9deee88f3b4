"""The demo: all stories on a running system, and once more on the same one."""

import json
from datetime import datetime
from typing import Any

import httpx

from support.system import System

OPEN = {"submitted", "awaiting_resident", "accepted", "dispatched", "claimed", "in_progress", "with_town", "completed"}
ENDED = {"rejected", "referred", "merged", "withdrawn", "transferred", "closed_confirmed", "closed_unconfirmed"}


def test_every_story_left_its_requests(demo: Any) -> None:
    told = {str(request["story"]).split()[0].rstrip(".:") for request in demo.written["requests"]}
    assert {str(number) for number in range(1, 13)} <= told
    assert sum(str(r["story"]).startswith("12") for r in demo.written["requests"]) >= 300
    assert {request["final"] for request in demo.written["requests"]} <= OPEN | ENDED


def test_every_journey_crosses_the_services(demo: Any) -> None:
    for request in demo.written["requests"]:
        services = {step["service"] for step in request["steps"]}
        assert {"requests", "notifications", "reporting"} <= services, request["number"]
        assert any(step["step"] == "counted" for step in request["steps"])
        for step in request["steps"]:
            assert datetime.fromisoformat(step["at"]).tzinfo is not None


def test_what_the_demo_wrote_can_be_read_back(system: System, demo: Any) -> None:
    sample = [r for r in demo.written["requests"] if not str(r["story"]).startswith("12")]
    for request in sample:
        answer = httpx.get(
            f"{system.url('requests')}/v1/requests/{request['id']}",
            headers=system.bearer("clerk", request["tenant"]),
            trust_env=False,
        )
        assert answer.status_code == 200
        assert answer.json()["status"] == request["final"], request["story"]


def test_tallies_add_up(demo: Any) -> None:
    tallies, reconciliation = demo.written["tallies"], demo.written["reconciliation"]
    assert reconciliation["balanced"] is True
    assert reconciliation["differences"] == []
    for row in [*tallies["rows"], tallies["total"]]:
        now = row["now"]
        assert now["open"] + sum(now[status] for status in ENDED) == row["submitted"]
        assert sum(now[status] for status in OPEN) == now["open"]
    assert sum(row["submitted"] for row in tallies["rows"]) == tallies["total"]["submitted"]


def test_a_second_round_on_the_running_system(system: System, demo: Any) -> None:
    done = system.lianhu("demo", seconds=400)
    assert done.returncode == 0, done.stdout[-4000:]
    again = json.loads((system.root / ".lianhu" / "demo.json").read_text())
    assert not {r["id"] for r in again["requests"]} & {r["id"] for r in demo.written["requests"]}
