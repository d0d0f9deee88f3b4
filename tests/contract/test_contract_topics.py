"""topics.yaml and the schema folder hold what the public contract promises, and agree with each other."""

import re

import pytest

from support.declared import CONTRACTS, schemas, topic_of, topics

SERVICES = {"requests", "dispatch", "notifications", "reporting"}
REQUEST = (
    "submitted asked replied accepted rejected reviewed dispatch-requested answered referred agency-replied"
    " reported-up sent-back merged split transferred withdrawn suspended resumed extended contacted limit-near"
    " limit-passed completed confirmed reopened closed"
)
DISPATCH = (
    "routed offered declined claimed assigned released checked-in checked-out completed returned escalated"
    " reminded supervised cancelled"
)
# The public contract's own table: a type may be added, none may leave. `household` came with the directory.
PROMISED = {
    "lianhu.requests.v1": {f"lianhu.request.{name}.v1" for name in REQUEST.split()},
    "lianhu.dispatch.v1": {f"lianhu.dispatch.{name}.v1" for name in DISPATCH.split()},
    "lianhu.notifications.v1": {f"lianhu.notification.{name}.v1" for name in ("due", "sent", "failed", "suppressed")},
    "lianhu.directory.v1": {f"lianhu.{name}.upserted.v1" for name in ("org-unit", "service", "volunteer", "household")},
    "lianhu.activities.v1": {f"lianhu.activity.{name}.v1" for name in ("scheduled", "held")},
    "lianhu.intake.v1": {"lianhu.intake.request.v1"},
    "lianhu.intake-replies.v1": set(),
}
# Their calls come later; until then nobody publishes these.
PLANNED_TOPICS = {"lianhu.activities.v1", "lianhu.intake.v1", "lianhu.intake-replies.v1"}


def test_every_promised_topic_and_type_is_declared() -> None:
    assert topics().keys() == PROMISED.keys()
    missing = {name: promised - set(topics()[name].types) for name, promised in PROMISED.items()}
    assert not any(missing.values()), missing


def test_planned_topics_have_no_schemas_and_all_others_have_one_for_each_type() -> None:
    assert {topic.name for topic in topics().values() if topic.planned} == PLANNED_TOPICS
    carried = {type for topic in topics().values() if not topic.planned for type in topic.types}
    assert schemas().keys() == carried


def test_every_type_of_a_topic_that_is_written_to_is_published() -> None:
    assert not [name for name, schema in schemas().items() if schema.get("x-planned")]


def test_the_folder_holds_nothing_but_schemas() -> None:
    assert {file.suffix for file in (CONTRACTS / "events").iterdir()} == {".json"}


@pytest.mark.parametrize("name", PROMISED)
def test_a_topic_is_complete(name: str) -> None:
    topic = topics()[name]
    assert topic.owner in SERVICES
    assert topic.partitions == 12
    assert set(topic.writers) <= SERVICES | {"integrator"}
    assert set(topic.readers) <= SERVICES | {"integrator"}
    assert topic.why
    assert topic.retention_ms == -1 or topic.retention_ms >= 24 * 3600 * 1000
    assert topic.compacted == (topic.tombstone_ms is not None)
    if not topic.planned:
        assert topic.writers == (topic.owner,)
        assert topic.owner not in topic.readers


def test_a_report_can_be_rebuilt_from_the_first_event_on() -> None:
    rebuilt = [t for t in topics().values() if "reporting" in t.readers and not t.planned]
    assert len(rebuilt) == 4
    assert {topic.retention_ms for topic in rebuilt} == {-1}


def test_only_the_directory_is_compacted() -> None:
    assert {topic.name for topic in topics().values() if topic.compacted} == {"lianhu.directory.v1"}


def test_one_topic_carries_a_type() -> None:
    carried = [type for topic in topics().values() for type in topic.types]
    assert len(carried) == len(set(carried))
    assert all(re.fullmatch(r"lianhu\.[a-z-]+\.[a-z-]+\.v[1-9]\d*", type) for type in carried)
    assert topic_of("lianhu.request.closed.v1").name == "lianhu.requests.v1"
    with pytest.raises(KeyError, match=r"no topic carries lianhu\.request\.eaten\.v1"):
        topic_of("lianhu.request.eaten.v1")
