"""A volunteer's pages and the board: the way of a piece of work, and what is refused."""

from typing import Any
from uuid import UUID, uuid4

from support.browsing import Page, Person
from support.conditions import eventually

Village = Any


def looking(here: Village, person: UUID, role: str = "volunteer", at: str | None = None) -> Person:
    return Person(here.stage.client, [(role, at or here.code)], person)


def assignment_of(here: Village, request: str) -> str:
    return str(here.stage.events(request)[-1].data["assignment_id"])


async def test_the_way_of_a_piece_of_work(here: Village) -> None:
    one = await here.person()
    request = await here.offered(one)
    assignment = assignment_of(here, request)
    person = looking(here, one)
    page = await person.get("/tasks")
    assert "厨房水龙头漏水" in page.text
    assert "in your grid" in page.text
    page = await person.send(f"/{assignment}/claim")
    assert page.status == 200, page.text
    assert "cannot be read at the moment" in page.text  # requests is not there in this test: the rest goes on
    page = await person.send(f"/{assignment}/check-in")
    page = await person.send(f"/{assignment}/check-out")
    page = await person.send(f"/{assignment}/complete", result="换了垫圈", minutes="40", served_person_times="2")
    assert page.status == 200, page.text
    events = await here.stage.until(request, "routed", "offered", "claimed", "checked-in", "checked-out", "completed")
    assert (events[-1].data["minutes"], events[-1].data["served_person_times"]) == (40, 2)
    page = await person.get("/tasks/record")
    assert "0.7" in page.text
    kept = await person.get("/tasks/record.csv")
    assert kept.html.startswith("\ufeff")
    assert "厨房水龙头漏水" in kept.html


async def test_passing_and_giving_back(here: Village) -> None:
    one, other = await here.person(), await here.person()
    request = await here.offered(one, other)
    assignment = assignment_of(here, request)
    passing = looking(here, one)
    await passing.get("/tasks")
    page = await passing.send(f"/{assignment}/decline")
    assert not page.has_form(f"/{assignment}/claim")
    person = looking(here, other)
    await person.get("/tasks")
    await person.send(f"/{assignment}/claim")
    page = await person.send(f"/{assignment}/release", reason="")
    assert page.status == 422
    assert 'id="e-reason"' in page.html
    page = await person.send(f"/{assignment}/release", reason="临时有事")
    assert page.status == 200
    await here.stage.until_last(request, "released")


async def test_whoever_comes_later_is_told(here: Village) -> None:
    one, other = await here.person(), await here.person()
    request = await here.offered(one, other)
    assignment = assignment_of(here, request)
    late = looking(here, other)
    await late.get("/tasks")
    await here.act(one, request, "claim")
    page = await late.send(f"/{assignment}/claim")
    assert page.status == 422
    assert "faster" in page.text


async def test_double_click_is_one_claim(here: Village) -> None:
    one = await here.person()
    request = await here.offered(one)
    assignment = assignment_of(here, request)
    person = looking(here, one)
    page = await person.get("/tasks")
    fields = page.form(f"/{assignment}/claim").fields
    for _ in range(2):
        assert (await person.post(f"/tasks/{assignment}/claim", **fields)).status == 303
    await here.stage.until(request, "routed", "offered", "claimed")


async def test_wrong_figures_are_said_at_the_field(here: Village) -> None:
    one = await here.person()
    request = await here.offered(one)
    await here.act(one, request, "claim")
    assignment = assignment_of(here, request)
    person = looking(here, one)
    for given in ({"minutes": "many"}, {"minutes": "-1"}, {"minutes": "9999"}, {"served_person_times": "0"}):
        await person.get(f"/tasks/{assignment}")
        page = await person.send(f"/{assignment}/complete", result="修好了", **given)
        assert page.status == 422
        assert f'id="e-{next(iter(given))}"' in page.html


async def test_nothing_of_others(here: Village) -> None:
    one, stranger = await here.person(), await here.person()
    request = await here.request()
    await here.stage.until_last(request, "offered")
    await here.act(one, request, "claim")
    assignment = assignment_of(here, request)
    page = await looking(here, uuid4()).get(f"/tasks/{assignment}")
    assert page.status == 404
    assert (await looking(here, stranger, "resident").get("/tasks")).status == 403
    assert (await Person(here.stage.client).get("/tasks")).status == 303
    assert (await looking(here, one).post(f"/tasks/{assignment}/release", reason="x")).status == 403


async def board_of(here: Village, leader: UUID) -> tuple[Person, Page]:
    person = looking(here, leader, "grid_leader", here.grid)
    return person, await person.get("/board")


async def test_a_leader_asks_by_name_reminds_and_gives_back(here: Village) -> None:
    one, leader = await here.person(), uuid4()
    request = await here.offered(one)
    assignment = assignment_of(here, request)
    person, page = await board_of(here, leader)
    assert "厨房水龙头漏水" in page.text
    page = await person.send(f"/{assignment}/assign", person=str(one))
    assert page.status == 200, page.text
    await here.stage.until_last(request, "assigned")
    page = await person.send(f"/{assignment}/remind")
    assert page.status == 200
    page = await person.send(f"/{assignment}/assign", person="")
    assert page.status == 422
    page = await person.get("/board/today")
    assert "厨房水龙头漏水" in page.text
    await person.get("/board")
    page = await person.send(f"/{assignment}/return", reason="本网格办不了")
    assert page.status == 200
    await here.stage.until_last(request, "returned")
    assert 'class="empty"' in (await person.get("/board")).html


async def test_a_board_is_of_its_own_grid(here: Village) -> None:
    one = await here.person()
    await here.offered(one)
    page = await looking(here, uuid4(), "grid_leader", here.code + "002").get("/board")
    assert "厨房水龙头漏水" not in page.text
    assert (await looking(here, one).get("/board")).status == 403


async def test_pages_speak_as_the_village_does(here: Village) -> None:
    one = await here.person()
    request = await here.offered(one)
    assignment = assignment_of(here, request)
    volunteer = Person(here.stage.client, [("volunteer", here.code)], one, language="zh-CN")
    leader = Person(here.stage.client, [("grid_leader", here.code)], uuid4(), language="zh-CN")
    assert "我领单" in (await volunteer.get("/tasks")).text
    await here.unit(here.code, {"label_set": "yangjiang"})

    async def said() -> bool:
        assert "我接单" in (await volunteer.get("/tasks")).text
        return True

    await eventually(said)
    assert "我接单" in (await volunteer.get(f"/tasks/{assignment}")).text
    page = await volunteer.send(f"/{assignment}/claim")
    assert "接单成功" in page.text
    assert "已接单" in (await leader.get("/board")).text
    assert "已接单" in (await leader.get("/board/today")).text
    english = looking(here, uuid4(), "grid_leader")
    assert "Claimed" in (await english.get("/board")).text
