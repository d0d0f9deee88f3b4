"""What stands in for the kit's own takes what the kit's takes: else a process falls of that, and not where it says."""

import inspect
from typing import Any

import pytest

from chaos.doomed import API_POINTS, WORKER_POINTS
from lianhu_kit.consumer import Consumer
from lianhu_kit.hot import HotTransaction
from lianhu_kit.inbound import Inbound
from lianhu_kit.relay import Relay

PLACES: dict[str, tuple[Any, str]] = {
    "before-commit": (Inbound, "_run"),
    "mid-batch": (Inbound, "_run"),
    "after-commit": (Relay, "_send"),
    "after-send": (Relay, "_move"),
    "before-offset": (Consumer, "_commit"),
}


def _takes(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


@pytest.mark.parametrize("point", WORKER_POINTS)
def test_a_worker_falls_in_place_of_what_the_kit_does(point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, name = PLACES[point]
    before = getattr(owner, name)
    monkeypatch.setattr(owner, name, before)  # put back at the end
    WORKER_POINTS[point]()
    planted = getattr(owner, name)
    assert planted is not before
    assert _takes(planted) == _takes(before)


@pytest.mark.parametrize("point", API_POINTS)
def test_an_api_falls_at_the_commit_of_both_kinds_of_transaction(point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = []
    monkeypatch.setattr("chaos.doomed.event.listen", lambda target, name, fall: heard.append((target, name)))
    before: Any = HotTransaction._commit
    monkeypatch.setattr(HotTransaction, "_commit", before)
    API_POINTS[point]()
    assert HotTransaction._commit is not before
    assert _takes(HotTransaction._commit) == _takes(before)
    assert [name for _, name in heard] == ["before_commit" if point == "before-commit" else "after_commit"]
