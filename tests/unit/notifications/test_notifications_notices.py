"""From an event to notices: each recipient once, and the right state from the start."""

from typing import Any
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from notifications_service.domain.audiences import Matter, Official
from notifications_service.domain.hearing import HEARS
from notifications_service.domain.notices import Happening, Notice, ask_once, notices

VILLAGE = "900000000001"
ANA, BEN, CAI, DAN = (UUID(int=number) for number in range(1, 5))
CLERK = Official(CAI, "clerk", VILLAGE)


def matter(**fields: Any) -> Matter:
    """A request of the village, with what a test says of it."""
    known = {"id": uuid4(), "number": "48213074", "tenant": VILLAGE, "service": "home-repair", "place": "一网格"}
    return Matter(**{**known, **fields})


def plan(event: str, about: Matter, *officials: Official, by: UUID | None = None, **data: Any) -> list[Notice]:
    stale = data.pop("stale", False)
    return notices(Happening("event-1", event, by, data, stale), about, officials)


def test_who_has_no_account_is_called_who_has_one_reads_it() -> None:
    (called,) = plan("request.rejected", matter())
    assert (called.channel, called.state, called.purpose) == ("call", "due", "result")
    (read,) = plan("request.rejected", matter(resident=ANA))
    assert (read.channel, read.state, read.person) == ("inbox", "sent", ANA)


def test_news_that_asks_for_no_call_tells_nobody_without_an_inbox() -> None:
    assert plan("request.accepted", matter()) == []
    assert [one.person for one in plan("request.accepted", matter(reporter=BEN))] == [BEN]


def test_who_did_it_is_not_told_of_it() -> None:
    assert plan("request.submitted", matter(), CLERK, by=CAI) == []
    assert [one.person for one in plan("request.submitted", matter(), CLERK, by=ANA)] == [CAI]


def test_somebody_in_two_audiences_hears_it_once_by_the_first_row() -> None:
    both = [Official(CAI, "clerk", VILLAGE), Official(CAI, "branch_secretary", VILLAGE)]
    told = plan("request.limit-near", matter(), *both, limit="finish", due_at=None)
    assert [(one.person, one.audience) for one in told] == [(CAI, "clerk")]


def test_a_guardian_hears_once_who_comes() -> None:
    told = plan("dispatch.claimed", matter(minor=True, guardian=True), person=BEN, name="李*")
    assert [(one.audience, one.purpose, one.channel) for one in told] == [("guardian", "guardian", "call")]
    told = plan("dispatch.claimed", matter(minor=True, guardian=True, resident=ANA), person=BEN, name="李*")
    assert [(one.audience, one.channel) for one in told] == [("guardian", "call"), ("resident", "inbox")]


def test_all_who_reported_the_same_hear_of_its_end() -> None:
    first, second = matter(resident=ANA, status="merged"), matter(status="merged")
    told = plan("request.completed", matter(resident=BEN, followers=(first, second)), via="dispatch")
    assert [(one.person, one.purpose, one.matter.id) for one in told[1:]] == [
        (ANA, "result", first.id),
        (None, "result", second.id),
    ]
    assert (told[0].person, told[0].purpose) == (BEN, "confirm")


def test_the_first_reporter_is_told_once_that_others_joined() -> None:
    target = matter(resident=BEN)
    told = plan("request.merged", matter(resident=ANA, target=target), into=target.id)
    assert [(one.person, one.template, one.about) for one in told] == [
        (ANA, "request-merged", "event-1"),
        (BEN, "request-joined", str(target.id)),
    ]


def test_an_office_without_people_is_a_delivery_that_says_so() -> None:
    (gap,) = plan("request.submitted", matter())
    assert (gap.state, gap.reason, gap.person) == ("suppressed", "nobody", None)


def test_old_events_call_nobody_but_reach_inboxes() -> None:
    (called,) = plan("request.rejected", matter(), stale=True)
    assert (called.state, called.reason) == ("suppressed", "too-late")
    (read,) = plan("request.rejected", matter(resident=ANA), stale=True)
    assert read.state == "sent"


def test_news_of_a_visit_does_not_outlive_the_request() -> None:
    claimed: dict[str, Any] = {"person": BEN, "name": "李*"}
    for status in ("withdrawn", "merged", "rejected", "transferred"):
        (read,) = plan("dispatch.claimed", matter(resident=ANA, status=status), **claimed)
        assert (read.state, read.reason) == ("suppressed", "superseded")
    for status in ("completed", "closed_confirmed", "closed_unconfirmed"):
        (read,) = plan("dispatch.claimed", matter(resident=ANA, status=status), **claimed)
        assert read.state == "sent", "part of the story, whatever came first"
        (called,) = plan("dispatch.claimed", matter(status=status), **claimed)
        assert (called.state, called.reason) == ("suppressed", "superseded")
    (cancelled,) = plan("dispatch.cancelled", matter(status="withdrawn"), holders=[BEN])
    assert cancelled.state == "sent"


def test_an_open_question_is_not_asked_a_second_time() -> None:
    asked = plan("request.limit-near", matter(), limit="confirm", due_at=None)
    assert ask_once(asked, set()) == asked
    (second,) = ask_once(asked, {asked[0].recipient})
    assert (second.state, second.reason) == ("suppressed", "duplicate")


MATTERS = st.builds(
    matter,
    resident=st.sampled_from([None, ANA, BEN]),
    reporter=st.sampled_from([None, ANA, BEN]),
    guardian=st.booleans(),
    minor=st.booleans(),
    status=st.sampled_from(["submitted", "accepted", "dispatched", "completed", "withdrawn"]),
)
DATA = st.fixed_dictionaries(
    {
        "via": st.sampled_from(["dispatch", "answer"]),
        "limit": st.sampled_from(["contact", "finish", "confirm"]),
        "people": st.lists(st.sampled_from([ANA, BEN, CAI, DAN]), max_size=6),
        "holders": st.lists(st.sampled_from([ANA, BEN]), max_size=3),
        "person": st.sampled_from([ANA, DAN]),
        "to": st.sampled_from(["leader", "town"]),
        "outcome": st.sampled_from(["upheld", "overturned", "done", "bounced"]),
        "how": st.sampled_from(["confirmed", "unconfirmed"]),
    }
)


@given(MATTERS, DATA, st.sampled_from(sorted({rule.event for rule in HEARS})), st.booleans())
def test_whatever_happens_each_hears_once(about: Matter, data: dict[str, Any], event: str, stale: bool) -> None:
    told = notices(Happening("event-1", event, None, data, stale), about, [CLERK])
    assert len({one.recipient for one in told}) == len(told)
    for one in told:
        assert (one.person is None) == (one.channel == "call" or one.reason == "nobody")
        assert one.state in ("sent", "due", "suppressed")
        assert (one.reason is None) == (one.state != "suppressed")
        assert not (stale and one.state == "due")
