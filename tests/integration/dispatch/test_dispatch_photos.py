"""Photos with a report: sent on to requests as the volunteer; without requests the report goes on, and says so."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from lianhu_web import photos
from support.browsing import Page, Person
from support.pictures import photo

Village = Any
NOT_ONE = "This is no photo that can be read. Send a JPEG, PNG or WebP file."


@dataclass
class Requests:
    """What stands in for the requests service: what it was sent, and how it answers."""

    status: int = 201
    answer: dict[str, Any] = field(default_factory=dict)
    came: list[tuple[str, str, bytes]] = field(default_factory=list)
    there: list[dict[str, Any]] = field(default_factory=list)
    speaks: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: Request) -> JSONResponse:
        if request.method == "GET":
            return JSONResponse({"items": self.there})
        form = await request.form()
        self.came.append((request.path_params["id"], request.headers["authorization"], await photos.file_of(form)))
        await self.speaks.wait()
        return JSONResponse(self.answer, self.status)

    async def contact(self, _request: Request) -> JSONResponse:
        return JSONResponse({"name": "测试甲", "address": "示例巷3号"})


@asynccontextmanager
async def listening(app: Starlette) -> AsyncIterator[str]:
    with closing(socket.socket()) as door:
        door.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        task = asyncio.create_task(server.serve(sockets=[door]))
        try:
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


@pytest.fixture
async def requests(here: Village) -> AsyncIterator[Requests]:
    """A requests service that answers this test alone."""
    stand_in = Requests()
    stand_in.speaks.set()
    routes = [
        Route("/v1/requests/{id}/attachments", stand_in.take, methods=["GET", "POST"]),
        Route("/v1/requests/{id}/contact", stand_in.contact),
    ]
    settings, before = here.stage.app.state.settings, here.stage.app.state.settings.requests_url
    async with listening(Starlette(routes=routes)) as url:
        object.__setattr__(settings, "requests_url", url)
        try:
            yield stand_in
        finally:
            stand_in.speaks.set()
            object.__setattr__(settings, "requests_url", before)


async def held(here: Village) -> tuple[UUID, str, str, Person]:
    """A piece of work that somebody holds: who, the request, the assignment, and the browser in front of it."""
    one = await here.person()
    request = await here.offered(one)
    await here.act(one, request, "claim")
    assignment = str(here.stage.events(request)[-1].data["assignment_id"])
    person = Person(here.stage.client, [("volunteer", here.code)], one)
    await person.get(f"/tasks/{assignment}")
    return one, request, assignment, person


def picked(content: bytes) -> dict[str, Any]:
    return {"photo": ("photo.jpg", content, "image/jpeg")}


async def report(person: Person, assignment: str, content: bytes | None, **fields: str) -> Page:
    given = {"result": "换了垫圈", "minutes": "40", "served_person_times": "2", **fields}
    return await person.send(f"/{assignment}/complete", files=picked(content or b""), **given)


async def reported(here: Village, assignment: str) -> tuple[bool, list[str]]:
    """Whether the work was reported done, and with what evidence, as the database has it."""
    query = "SELECT completed_at IS NOT NULL, evidence FROM holdings WHERE assignment_id = :id"
    [row] = await here.stage.rows(query, id=UUID(assignment), tenant=here.code)
    return bool(row[0]), list(row[1])


async def completed(here: Village, request: str) -> dict[str, Any]:
    return dict((await here.stage.until_last(request, "completed")).data)


async def test_a_photo_goes_with_the_report_as_the_volunteer(here: Village, requests: Requests) -> None:
    one, request, assignment, person = await held(here)
    page = await report(person, assignment, photo())
    assert page.status == 200, page.text
    assert "Thank you" in page.text
    [(id, token, content)] = requests.came
    assert (id, content) == (request, photo())
    assert token.startswith("Bearer ")
    assert here.stage.app.state.verifier is not None
    assert str((await here.stage.app.state.verifier.verify(token.removeprefix("Bearer "))).person) == str(one)
    assert (await completed(here, request))["evidence"] == "photo"
    rows = await here.stage.rows(
        "SELECT evidence FROM holdings WHERE assignment_id = :a", a=assignment, tenant=here.code
    )
    assert rows[0][0] == ["photo"]


async def test_without_a_photo_nothing_is_sent(here: Village, requests: Requests) -> None:
    _, request, assignment, person = await held(here)
    page = await report(person, assignment, None)
    assert page.status == 200, page.text
    assert requests.came == []
    assert (await completed(here, request))["evidence"] == "word"


async def test_what_is_no_photo_is_said_before_the_report_goes(here: Village, requests: Requests) -> None:
    _, _, assignment, person = await held(here)
    requests.status, requests.answer = 422, {"errors": [{"field": "photo", "detail": NOT_ONE}]}
    page = await report(person, assignment, b"<html>")
    assert page.status == 422
    assert "no photo that can be read" in page.html.partition('id="e-photo"')[2]
    assert "换了垫圈" in page.html
    assert await reported(here, assignment) == (False, [])
    page = await report(person, assignment, photo(), result="")
    assert page.status == 422
    assert len(requests.came) == 1  # a report that cannot go does not send its photo


async def test_without_requests_the_report_goes_on_and_says_so(here: Village) -> None:
    _, request, assignment, person = await held(here)
    page = await report(person, assignment, photo())
    assert page.status == 200, page.text
    assert "The photo could not be sent; you can add it here" in page.text
    assert page.has_form(f"/{assignment}/photo")
    assert (await completed(here, request))["evidence"] == "word"
    page = await person.send(f"/{assignment}/photo", files=picked(photo()))
    assert page.status == 502
    assert "cannot be sent at the moment" in page.text


async def test_requests_that_hang_do_not_hold_the_report(
    here: Village, requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photos, "SECONDS", 0.2)
    _, request, assignment, person = await held(here)
    requests.speaks.clear()
    page = await report(person, assignment, photo())
    assert "The photo could not be sent" in page.text
    assert (await completed(here, request))["evidence"] == "word"


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (409, {"detail": "There are three photos already. Take one away first."}, "three photos already"),
        (409, {"detail": "The order has ended; no photo is added any more."}, "has ended"),
        (403, {"detail": "x"}, "No photo of yours is taken"),
        (500, {"detail": "x"}, "cannot be sent at the moment"),
        (422, {"errors": [{"field": "photo", "detail": NOT_ONE}]}, "no photo that can be read"),
    ],
)
async def test_it_comes_later_or_is_refused_in_words(
    here: Village, requests: Requests, status: int, answer: dict[str, Any], said: str
) -> None:
    _, _, assignment, person = await held(here)
    await report(person, assignment, None)
    await person.get(f"/tasks/{assignment}")
    page = await person.send(f"/{assignment}/photo", files=picked(b""))
    assert page.status == 422
    assert requests.came == []
    requests.status, requests.answer = status, answer
    page = await person.send(f"/{assignment}/photo", files=picked(photo()))
    assert page.status in (422, 502)
    assert said in page.text
    requests.status = 201
    page = await person.send(f"/{assignment}/photo", files=picked(photo()))
    assert page.status == 200
    assert "The photo is with the order" in page.text


async def test_photos_of_the_order_are_named_while_it_is_held(here: Village, requests: Requests) -> None:
    one = uuid4()
    requests.there = [{"id": str(one), "purpose": "order"}]
    _, request, assignment, person = await held(here)
    page = await person.get(f"/tasks/{assignment}")
    assert f'href="/order/photos/{request}/{one}"' in page.html
    assert "<img" not in page.html  # a page of held work is kept on the phone, its photos are not
    await report(person, assignment, None)
    assert f"/order/photos/{request}" not in (await person.get(f"/tasks/{assignment}")).html


async def test_nobody_elses_work_takes_a_photo(here: Village, requests: Requests) -> None:
    _, _, assignment, person = await held(here)
    assert person.page is not None
    form = person.page.form("/complete")
    other = Person(here.stage.client, [("volunteer", here.code)], uuid4())
    other.cookies = {**person.cookies, **other.cookies}
    form.action = f"/tasks/{assignment}/photo"
    page = await other.again(form, files=picked(photo()))
    assert page.status == 404
    assert requests.came == []


async def test_forty_megabytes_are_refused_unread(here: Village, requests: Requests) -> None:
    _, _, assignment, person = await held(here)
    page = await report(person, assignment, bytes(40 * 1024 * 1024))
    assert page.status == 413
    assert "8 MB at most" in page.text
    assert requests.came == []
    assert await reported(here, assignment) == (False, [])
