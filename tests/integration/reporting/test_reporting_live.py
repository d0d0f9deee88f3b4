"""Word of figures that have moved: who may look, how many, and that it comes."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest
from fastapi import Request

from reporting_service.api import streams
from support.browsing import Person
from support.people import bearer
from support.places import village
from support.walks import orders


async def test_word_comes_when_figures_move_and_the_place_is_given_back(
    make_stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, home = await make_stage(), village()
    monkeypatch.setattr(streams, "EVERY_SECONDS", 0.05)
    events = streams.moved(cast("Request", SimpleNamespace(app=stage.app)), home)
    assert (await anext(events)).event == "begun"
    assert stage.app.state.looking == 1
    following = asyncio.ensure_future(anext(events))
    async with stage.working():
        await stage.send(orders(61, [home], 3))
        assert (await asyncio.wait_for(following, 60)).event == "moved"
    await events.aclose()  # type: ignore[attr-defined]
    assert stage.app.state.looking == 0


async def test_who_may_not_look_is_answered(make_stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, home = await make_stage(), village()
    path, query = "/v1/tallies/stream", {"org": home}
    answer = await stage.client.get(path, headers=bearer("clerk", village()), params=query)
    assert answer.status_code == 404
    assert (await stage.client.get(path, headers=bearer("volunteer", home), params=query)).status_code == 403
    assert (await Person(stage.client, [("clerk", village())], uuid4()).get("/reports/live", org=home)).status == 404
    monkeypatch.setattr(streams, "MOST", 0)
    answer = await stage.client.get(path, headers=bearer("clerk", home), params=query)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
