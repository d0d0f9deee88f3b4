"""Written orders by pages: given, seen by who may, told in words what became of them; and what is refused."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from support.browsing import Page, Person

Village = Any
ORDER = "周五前修好，带上备件"


def town(here: Village) -> Person:
    return Person(here.stage.client, [("supervisor", here.code[:9])], uuid4())


def soon(**after: int) -> str:
    """A local time in a form."""
    return (datetime.now(UTC) + timedelta(hours=8) + timedelta(**(after or {"days": 2}))).strftime("%Y-%m-%dT%H:%M")


async def work(here: Village) -> tuple[UUID, str, str]:
    """A person who is offered something: the person, the request, the assignment."""
    person = await here.person()
    request = await here.offered(person)
    return person, request, str(here.stage.events(request)[-1].data["assignment_id"])


async def ordered(here: Village, assignment: str, who: Person | None = None, **fields: Any) -> Page:
    person = who or town(here)
    await person.get(f"/board/{assignment}")
    return await person.send(f"/{assignment}/supervise", **{"order": ORDER, "until": soon(), **fields})


async def test_an_order_is_given_and_seen_with_what_became_of_it(here: Village) -> None:
    person, request, assignment = await work(here)
    supervisor = town(here)
    page = await supervisor.get("/board/supervised")
    assert 'class="empty"' in page.html
    page = await ordered(here, assignment, supervisor)
    assert page.status == 200, page.text
    assert "whoever has it in hand is told" in page.text
    assert ORDER in page.text
    told = await here.stage.until_last(request, "supervised")
    assert told.data["people"] == [str(person)]
    assert ORDER not in str(told.data)
    page = await supervisor.get("/board/supervised")
    assert "There is still time" in page.text
    assert ORDER in page.text
    leader = Person(here.stage.client, [("grid_leader", here.grid)], uuid4())
    assert "written order" in (await leader.get("/board")).text
    assert not (await leader.get(f"/board/{assignment}")).has_form("/supervise")  # a leader reads it, and gives none
    await here.act(person, request, "claim")
    await here.act(person, request, "complete", {"result": "修好了"})
    await here.stage.until_last(request, "completed")
    assert "Done in time" in (await supervisor.get("/board/supervised")).text
    page = await supervisor.get(f"/board/{assignment}")
    assert "Done in time" in page.text
    assert not page.has_form("/supervise")


async def test_an_order_whose_time_is_over_is_said_to_be_overdue(here: Village) -> None:
    _, _, assignment = await work(here)
    await ordered(here, assignment)
    await here.stage.rows(
        "UPDATE assignments SET supervised_until = now() - interval '1 hour' WHERE id = :id RETURNING id",
        tenant=here.code, id=assignment,
    )  # fmt: skip
    supervisor = town(here)
    assert "Overdue" in (await supervisor.get("/board/supervised")).text
    assert "Overdue" in (await supervisor.get(f"/board/{assignment}")).text


async def test_what_is_given_back_ended_without_being_done(here: Village) -> None:
    person, request, assignment = await work(here)
    await ordered(here, assignment)
    await here.act(person, request, "return", {"reason": "本网格办不了"}, role="clerk")
    await here.stage.until_last(request, "returned")
    page = await town(here).get("/board/supervised")
    assert "Ended without being done" in page.text


async def test_a_tab_that_stayed_open_is_told_that_the_work_has_ended(here: Village) -> None:
    person, request, assignment = await work(here)
    supervisor = town(here)
    await supervisor.get(f"/board/{assignment}")
    await here.act(person, request, "return", {"reason": "本网格办不了"}, role="clerk")
    await here.stage.until_last(request, "returned")
    page = await supervisor.send(f"/{assignment}/supervise", order=ORDER, until=soon())
    assert page.status == 422
    assert "not possible where it stands now" in page.text


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"order": ""}, "order"),
        ({"order": "字" * 2001}, "order"),
        ({"until": ""}, "until"),
        ({"until": "tomorrow"}, "until"),
        ({"until": "2020-01-01T08:00"}, "until"),
        ({"until": "9999-99-99T99:99"}, "until"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field(here: Village, fields: dict[str, Any], wrong: str) -> None:
    _, _, assignment = await work(here)
    page = await ordered(here, assignment, **fields)
    assert page.status == 422
    assert f'id="e-{wrong}"' in page.html
    assert "detail" not in page.text


async def test_a_request_leads_to_its_latest_work(here: Village) -> None:
    _, request, assignment = await work(here)
    page = await town(here).get(f"/board/requests/{request}")
    assert page.location == f"/board/{assignment}"
    assert (await town(here).get(f"/board/requests/{uuid4()}")).status == 404


async def test_who_may_not_is_not_let_in(here: Village) -> None:
    person, request, assignment = await work(here)
    elsewhere = Person(here.stage.client, [("supervisor", "990001001")], uuid4())
    assert (await elsewhere.get(f"/board/{assignment}")).status == 404
    assert (await elsewhere.get(f"/board/requests/{request}")).status == 404
    volunteer = Person(here.stage.client, [("volunteer", here.code)], person)
    for path in (f"/board/{assignment}", "/board/supervised"):
        assert (await volunteer.get(path)).status == 403
        assert (await Person(here.stage.client).get(path)).status == 303
    leader = Person(here.stage.client, [("grid_leader", here.grid)], uuid4())
    assert (await leader.post(f"/board/{assignment}/supervise", order=ORDER, until=soon())).status == 403
    other_grid = Person(here.stage.client, [("grid_leader", here.code + "002")], uuid4())
    assert (await other_grid.get(f"/board/{assignment}")).status == 404


async def test_hostile_words_are_only_words(here: Village) -> None:
    _, _, assignment = await work(here)
    page = await ordered(here, assignment, order="<img src=x onerror=alert(1)>")
    assert page.status == 200
    assert "<img src=x" not in page.html
    assert "<img src=x" not in (await town(here).get("/board/supervised")).html
