"""What leaves the house: chosen by kind and channel, and tried again for as long as that makes sense."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from notifications_service.domain.audiences import Matter, Official
from notifications_service.domain.calls import PURPOSES
from notifications_service.domain.choices import DEFAULTS, KIND_OF, Channel, Kind, Pace, all_of, pace_of
from notifications_service.domain.hearing import HEARS
from notifications_service.domain.notices import INBOX, Happening, Notice, notices
from notifications_service.domain.outward import TRIES, next_try, outward

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
BOTH = list(Channel)


def _notice(person: UUID | None, *, purpose: str = "confirm", channel: str = INBOX, state: str = "sent") -> Notice:
    matter = Matter(uuid4(), "48213074", "441702008205", "家电维修", "一网格")
    return Notice("confirm-work", purpose, "resident", channel, matter, person, f"person:{person}", "about", state)


def test_every_purpose_has_its_kind_and_every_kind_a_default() -> None:
    assert {rule.purpose for rule in HEARS} | PURPOSES == set(KIND_OF)
    assert all(set(kinds) == set(Kind) for kinds in DEFAULTS.values())


def test_without_a_choice_the_phone_rings_for_what_somebody_waits_for() -> None:
    person = uuid4()
    [one] = outward([_notice(person)], {}, BOTH)
    assert (one.notice.channel, one.notice.state, one.pace) == ("phone", "due", Pace.NOW)
    assert one.notice.recipient == f"phone:{person}"
    assert outward([_notice(person, purpose="limit")], {}, BOTH) == []


def test_choices_hold_by_kind_and_channel() -> None:
    person = uuid4()
    choices = {person: {"phone": {"questions": "off"}, "mail": {"questions": "morning"}}}
    [one] = outward([_notice(person)], choices, BOTH)
    assert (one.notice.channel, one.pace) == ("mail", Pace.MORNING)
    assert outward([_notice(person)], choices, [Channel.PHONE]) == []
    assert pace_of(choices[person], Channel.MAIL, Kind.VISITS) is Pace.OFF
    assert all_of(choices[person])[Channel.PHONE][Kind.VISITS] is Pace.NOW


@pytest.mark.parametrize(
    "notice",
    [_notice(None), _notice(uuid4(), channel="call", state="due"), _notice(uuid4(), state="suppressed")],
    ids=["nobody's", "a call", "not told"],
)
def test_only_what_stands_in_an_inbox_leaves_the_house(notice: Notice) -> None:
    assert outward([notice], {}, BOTH) == []


def test_tries_stand_further_and_further_apart_and_end_within_a_day() -> None:
    moments = [next_try(tries, NOON) for tries in range(1, TRIES + 1)]
    assert moments[-1] is None
    waits = [moment - NOON for moment in moments if moment is not None]
    assert waits == sorted(waits)
    assert waits[0] == timedelta(minutes=1)
    assert sum(waits, timedelta()) < timedelta(days=1)


def test_of_what_the_village_does_not_see_the_town_alone_hears() -> None:
    clerk, leader, supervisor, resident = (uuid4() for _ in range(4))
    officials = [
        Official(clerk, "clerk", "441702008205"), Official(leader, "grid_leader", "441702008205001"),
        Official(supervisor, "supervisor", "441702008"),
    ]  # fmt: skip
    seen = Matter(uuid4(), "48213074", "441702008205", "家电维修", "一网格", resident=resident)
    unseen = replace(seen, unseen=True)
    data: dict[str, Any] = {"unseen": True, "limit": "finish"}
    for event in ("request.submitted", "request.limit-passed", "request.reopened", "request.replied"):
        told = {notice.person for notice in notices(Happening("e", event, None, data), unseen, officials)}
        assert told <= {supervisor, resident}, event
        usual = notices(Happening("e", event, None, {**data, "unseen": False}), seen, officials)
        assert clerk in {notice.person for notice in usual}, event
    [call] = notices(Happening("e", "request.rejected", None, {}), replace(unseen, resident=None), officials)
    assert (call.state, call.reason) == ("suppressed", "unseen")
