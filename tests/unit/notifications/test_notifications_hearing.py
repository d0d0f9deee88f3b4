"""The declared table is whole: every row can speak, and about events that this service reads."""

from typing import Any

import pytest

from notifications_service.consumer import DISPATCH, REQUESTS
from notifications_service.domain.audiences import HEARD_AS, Audience
from notifications_service.domain.calls import POINTLESS
from notifications_service.domain.calls import PURPOSES as CALLED_FOR
from notifications_service.domain.hearing import EVENTS, HEARS, rules_for
from notifications_service.domain.texts import TEMPLATES

READ = {f"request.{name}": model for name, model in REQUESTS.items()} | {
    f"dispatch.{name}": model for name, model in DISPATCH.items()
}
OWN = {"call.wrong-number"}
PURPOSES = {
    "offer", "assigned", "visit", "ask", "result", "confirm", "merged", "news", "limit", "supervision", "cancelled",
    "guardian",
}  # fmt: skip


def test_every_event_of_the_table_is_read() -> None:
    assert set(READ) >= EVENTS - OWN
    assert set(POINTLESS) <= set(READ)


@pytest.mark.parametrize("rule", HEARS, ids=lambda rule: f"{rule.event}-{rule.to}-{rule.template}")
def test_every_row_can_speak(rule: Any) -> None:
    assert rule.template in TEMPLATES
    assert rule.purpose in PURPOSES
    assert rule.to in HEARD_AS
    fields = set() if rule.event in OWN else set(READ[rule.event].model_fields)
    assert set(rule.when) <= fields, "a condition on a field that is not read would never be true"
    needed = {
        Audience.PEOPLE: "people",
        Audience.HOLDERS: "holders",
        Audience.PERSON: "person",
        Audience.TARGET: "into",
    }
    if rule.to in needed:
        assert needed[rule.to] in fields
    if "name" in TEMPLATES[rule.template]:
        assert "name" in fields
    if "until" in TEMPLATES[rule.template]:
        assert fields & {"until", "due_at", "offered_until"}


def test_every_template_is_said_somewhere() -> None:
    assert {rule.template for rule in HEARS} == set(TEMPLATES)


def test_people_are_called_for_what_the_table_says() -> None:
    assert {rule.purpose for rule in HEARS if rule.call} == CALLED_FOR
    assert all(purposes <= CALLED_FOR for purposes in POINTLESS.values())


def test_only_those_who_have_no_inbox_are_called() -> None:
    apart = {Audience.RESIDENT, Audience.GUARDIAN, Audience.FOLLOWERS, Audience.TARGET}
    assert {rule.to for rule in HEARS if rule.call} == apart


@pytest.mark.parametrize(
    ("event", "data", "expected"),
    [
        ("request.completed", {"via": "answer"}, "confirm-answer"),
        ("request.completed", {"via": "agency"}, "confirm-agency"),
        ("request.completed", {"via": "dispatch"}, "confirm-work"),
        ("request.completed", {"via": "some-later-way"}, "confirm-work"),
        ("dispatch.offered", {"offered_until": None}, "task-open"),
        ("dispatch.offered", {"offered_until": "2026-03-04T12:00:00Z"}, "task-offered"),
        ("dispatch.assigned", {"ordered": True}, "task-ordered"),
        ("dispatch.assigned", {"ordered": False}, "task-assigned"),
        ("request.closed", {"how": "unconfirmed"}, "closed-unconfirmed"),
        ("request.limit-near", {"limit": "confirm"}, "confirm-reminder"),
        ("request.reviewed", {"outcome": "upheld"}, "review-upheld"),
        ("request.reviewed", {"outcome": "overturned"}, "review-overturned"),
        ("request.extended", {"limit": "finish"}, "request-extended"),
    ],
)
def test_the_first_fitting_row_speaks(event: str, data: dict[str, Any], expected: str) -> None:
    assert rules_for(event, data)[0].template == expected


def test_an_agency_that_did_it_leaves_the_word_to_completion() -> None:
    assert rules_for("request.agency-replied", {"outcome": "done"}) == []
    assert rules_for("request.agency-replied", {"outcome": "bounced"})


def test_a_later_contact_is_the_desks_matter_alone() -> None:
    assert {rule.to for rule in rules_for("request.extended", {"limit": "contact"})} == {Audience.CLERKS}


@pytest.mark.parametrize("event", ["request.withdrawn", "request.confirmed", "request.contacted", "dispatch.declined"])
def test_some_events_tell_nobody(event: str) -> None:
    assert rules_for(event, {}) == []
