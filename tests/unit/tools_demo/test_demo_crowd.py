"""Story 12's plan: 300 orders, each with an ending that can come about, the same every time."""

from collections import Counter

from lianhu_tools.demo import endings
from lianhu_tools.demo.crowd import ENDINGS, LEADERS, ORDERS, SHARES, Part, Wish, plan
from lianhu_tools.seed import catalogue
from lianhu_tools.seed.people import roster
from lianhu_tools.seed.places import DUIAN
from requests_service.domain import answers, summary
from requests_service.domain.statuses import OPEN, Status
from requests_service.handlers.directory import default_catalogue
from requests_service.handlers.taking_on import questions_of

OFFERED = {entry["code"]: entry for entry in default_catalogue()} | {catalogue.QUICK: catalogue.OWN}


def wishes() -> list[Wish]:
    return list({part.wish.service: part.wish for part in plan()}.values())


def test_the_plan_is_300_orders_over_all_villages_and_the_same_every_time() -> None:
    parts = plan()
    assert len(parts) == ORDERS == sum(ENDINGS.values()) == sum(SHARES.values())
    assert Counter(part.village for part in parts) == Counter(SHARES)
    assert Counter(part.ending for part in parts) == Counter(ENDINGS)
    assert plan() == parts


def test_every_ending_can_be_brought_about_and_ends_somewhere() -> None:
    assert set(ENDINGS) == set(endings.ENDINGS) == set(endings.FINALS)
    assert set(endings.FINALS.values()) <= {status.value for status in Status}


def test_the_endings_spread_over_the_states_that_a_report_shows() -> None:
    never = {Status.WITH_TOWN, Status.TRANSFERRED}  # their calls come later
    assert set(endings.FINALS.values()) == {status.value for status in Status if status not in never}


def follows(part: Part, parts: list[Part]) -> Part:
    assert part.follows is not None
    return parts[part.follows]


def test_a_merged_order_follows_one_that_asks_the_same_and_stays_open() -> None:
    parts = plan()
    still_told = {status.value for status in OPEN} | {"completed"}
    for part in parts:
        if part.ending == "merged":
            leader = follows(part, parts)
            assert leader.ending in LEADERS
            assert (leader.village, leader.grid, leader.wish) == (part.village, part.grid, part.wish)
            assert endings.FINALS[leader.ending] in still_told
        else:
            assert part.follows is None


def test_silence_ends_only_where_the_village_closes_soon() -> None:
    assert {part.village for part in plan() if part.ending == "silent"} == {DUIAN}


def test_what_is_ordered_is_offered_and_its_questions_answered() -> None:
    for wish in wishes():
        service = OFFERED[wish.service]
        assert answers.check(questions_of(service.get("questions", ())), dict(wish.answers)) == []
        assert service.get("skill") == wish.skill


def test_whoever_needs_a_skill_finds_it_among_the_villages_volunteers() -> None:
    for part in plan():
        if part.wish.skill is not None:
            able = [one for one in roster(part.village).volunteers if part.wish.skill in one.skills]
            assert len(able) >= 3


def test_the_clerks_summaries_may_travel() -> None:
    for wish in wishes():
        people = [person.name for person in roster(DUIAN).everybody]
        assert summary.objections(wish.summary, names=people, address="演示巷12号") == []
