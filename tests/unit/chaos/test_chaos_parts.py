"""The harness's own parts: which case is played when, where a call goes, how far a clock is off."""

from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chaos.__main__ import _order
from chaos.clients import Clients
from chaos.disk import _mount
from chaos.migrating import revisions
from chaos.run import NotTried
from chaos.shifted import HOUR, RIGHT_SECONDS, WRONG_SECONDS, shift
from lianhu_tools.topology import SERVICES


def _given(**changes: object) -> Namespace:
    return Namespace(**{"cases": ["kills", "leader", "poison"], "seed": 3, "seeds": 2, "minutes": 0} | changes)


def test_cases_of_one_stage_are_played_together_with_every_seed() -> None:
    plain = [("kills", 3), ("poison", 3), ("kills", 4), ("poison", 4)]
    assert list(_order(_given())) == [*plain, ("leader", 3), ("leader", 4)]


def test_with_minutes_all_cases_come_seed_by_seed_until_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 600, 30))
    monkeypatch.setattr("chaos.__main__.time", SimpleNamespace(monotonic=lambda: next(clock)))
    played = list(_order(_given(minutes=2)))
    assert played == [("kills", 3), ("leader", 3), ("poison", 3), ("kills", 4)]


def test_a_detour_holds_for_its_service_until_it_is_taken_away() -> None:
    system: Any = SimpleNamespace(topology=SimpleNamespace(gateway_url="http://gate"))
    clients = Clients(system)
    clients.detours["dispatch"] = "http://second"
    assert clients._address("dispatch/v1/assignments", None) == "http://second/v1/assignments"
    assert clients._address("requests/v1/requests", None) == "http://gate/api/requests/v1/requests"
    del clients.detours["dispatch"]
    assert clients._address("dispatch/v1/assignments", None) == "http://gate/api/dispatch/v1/assignments"


@pytest.mark.parametrize("first", [HOUR, -HOUR])
def test_a_clock_jumps_both_ways_by_over_an_hour(first: float) -> None:
    assert shift(0, first) == 0
    assert shift(RIGHT_SECONDS + 1, first) == first
    assert shift(RIGHT_SECONDS + WRONG_SECONDS + 1, first) == -first
    assert abs(first) > 3600


def test_every_service_has_revisions_to_be_killed_in() -> None:
    assert all(revisions(service)[0] == "0001" for service in SERVICES)


def test_without_the_right_to_mount_a_full_disk_is_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    cluster: Any = SimpleNamespace(data=data, prepare=data.mkdir)

    def refuse(*_: object, **__: object) -> object:
        return SimpleNamespace(returncode=32, stdout="", stderr="mount: must be superuser")

    monkeypatch.setattr("chaos.disk.subprocess.run", refuse)
    with pytest.raises(NotTried, match="needs root and mount"):
        _mount(cluster)
