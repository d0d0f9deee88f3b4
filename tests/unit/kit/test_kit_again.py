"""Calls that the database gave up: done again with the same body, as long as nobody heard an answer."""

from typing import Any

import pytest

from lianhu_kit import again
from lianhu_kit.again import TRIES, Again


class GivenUp(Exception):
    """As the driver raises it."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


class Routes:
    """An application that fails so often, then answers with the body that it read."""

    def __init__(self, *errors: Exception, begins: bool = False) -> None:
        self.errors = list(errors)
        self.begins = begins
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """ASGI."""
        scope["route"] = f"route {len(self.bodies)}"
        assert "left over" not in scope
        scope["left over"] = True
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message.get("more_body", False)
        self.bodies.append(body)
        if self.begins:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        if self.errors:
            raise self.errors.pop(0)
        await send({"type": "http.response.body", "body": body})


async def call(routes: Routes) -> tuple[list[Any], dict[str, Any]]:
    """One call whose body comes in two parts; answers what was sent and the scope as those outside see it."""
    parts = iter([(b"one ", True), (b"two", False)])
    sent: list[Any] = []
    scope: dict[str, Any] = {"type": "http", "path": "/v1/any"}

    async def receive() -> Any:
        body, more = next(parts)
        return {"type": "http.request", "body": body, "more_body": more}

    async def send(message: Any) -> None:
        sent.append(message)

    await Again(routes, "kit")(scope, receive, send)
    return sent, scope


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(again, "PAUSE_SECONDS", 0)


@pytest.mark.parametrize("state", ["40P01", "40001"])
async def test_a_call_that_was_given_up_is_done_again_with_its_whole_body(state: str) -> None:
    routes = Routes(GivenUp(state), GivenUp(state))
    sent, scope = await call(routes)
    assert routes.bodies == [b"one two"] * 3
    assert [message["type"] for message in sent] == ["http.response.body"]
    assert scope["route"] == "route 2"


async def test_a_call_is_not_done_again_for_ever() -> None:
    routes = Routes(*[GivenUp("40P01") for _ in range(TRIES + 1)])
    with pytest.raises(GivenUp):
        await call(routes)
    assert len(routes.bodies) == TRIES


@pytest.mark.parametrize("error", [GivenUp("57014"), GivenUp("23505"), RuntimeError("a fault of ours")])
async def test_other_errors_are_left_to_the_door(error: Exception) -> None:
    routes = Routes(error)
    with pytest.raises(type(error)):
        await call(routes)
    assert len(routes.bodies) == 1


async def test_a_call_whose_answer_began_is_not_done_again() -> None:
    routes = Routes(GivenUp("40P01"), begins=True)
    with pytest.raises(GivenUp):
        await call(routes)
    assert len(routes.bodies) == 1
