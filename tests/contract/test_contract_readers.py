"""Every consumer's own class can read what the schema of its event allows; and the rule that says so is sharp."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from contract.instances import instances
from contract.readers import misreadings
from contract.subscribed import SERVICES, everything, subscriptions
from support.declared import Schema, schemas, topic_of, topics


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_reads_only_topics_that_name_it(service: str) -> None:
    read = {topic_of(type).name for type in subscriptions(service)}
    assert read == {topic.name for topic in topics().values() if service in topic.readers and not topic.planned}


@pytest.mark.parametrize("service", SERVICES)
def test_every_subscribed_type_has_a_schema_that_its_class_can_read(service: str) -> None:
    faults = {}
    for type, subscription in subscriptions(service).items():
        assert type in schemas(), f"{service} reads {type}, which has no schema"
        faults[type] = misreadings(schemas()[type], subscription.model)
    assert not any(faults.values()), {type: found for type, found in faults.items() if found}


@pytest.mark.parametrize("service", SERVICES)
def test_every_example_can_be_read(service: str) -> None:
    for type, subscription in subscriptions(service).items():
        for example in schemas()[type]["examples"]:
            subscription.model.model_validate(example)


@pytest.mark.parametrize("service", SERVICES)
@given(drawn=st.data())
@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_whatever_the_schema_allows_can_be_read(service: str, drawn: st.DataObject) -> None:
    declared = subscriptions(service)
    type = drawn.draw(st.sampled_from(sorted(declared)))
    declared[type].model.model_validate(drawn.draw(instances(schemas()[type])))


@pytest.mark.parametrize("service", SERVICES)
def test_deletions_are_read_of_compacted_topics_alone(service: str) -> None:
    deleted = {type.removeprefix("deleted:") for type in everything(service) if type.startswith("deleted:")}
    assert all(topics()[name].compacted for name in deleted)


# The rule itself, against a schema of its own.

PROMISED: Schema = {
    "type": "object",
    "required": ["id", "at", "day", "count", "state", "word", "grid", "people", "limits", "flag"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "day": {"type": "string", "format": "date"},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "state": {"type": "string", "enum": ["open", "done"]},
        "word": {"type": "string", "pattern": "^[a-z]+$", "x-known": ["a"]},
        "grid": {"type": ["string", "null"], "pattern": "^[0-9]{15}$"},
        "people": {"type": "array", "items": {"type": "string", "format": "uuid"}, "maxItems": 500},
        "limits": {"type": "object", "required": ["a"], "properties": {"a": {"type": ["string", "null"]}}},
        "flag": {"type": "boolean"},
        "maybe": {"type": "string"},
    },
}


class Limits(BaseModel):
    """The inner part."""

    a: str | None


class Limited(BaseModel):
    """The inner part, without its null."""

    a: str


class Good(BaseModel):
    """Reads everything rightly."""

    id: UUID
    at: datetime | None
    day: date
    count: int = Field(ge=1, le=9)
    state: Literal["open", "done", "more"]
    word: str
    grid: str | None = None
    people: list[UUID] = Field(max_length=500)
    limits: Limits
    flag: bool
    maybe: str | None = None


class Loose(BaseModel):
    """Reads without asking much."""

    count: float
    people: list[Any]
    limits: dict[str, Any]


def reading(name: str, annotation: Any) -> type[BaseModel]:
    """A class that reads one field."""
    body = {"__annotations__": {name: annotation}, "__module__": __name__, "__doc__": "One field."}
    return type("Reading", (BaseModel,), body)


@pytest.mark.parametrize("model", [Good, Loose])
def test_a_right_class_reads_everything(model: type[BaseModel]) -> None:
    assert misreadings(PROMISED, model) == []


WRONG = {
    "null not taken": (reading("at", datetime), "data.at: can be null"),
    "another format": (reading("day", UUID), "data.day: the class asks for format uuid"),
    "a day for a time": (reading("at", date | None), "data.at: the class asks for format date"),
    "another type": (reading("flag", int), "data.flag: can be boolean"),
    "a number for a text": (reading("word", int), "data.word: can be string"),
    "required but optional": (reading("maybe", str), "data.maybe: the class requires it"),
    "an unknown field": (reading("surname", str), "data.surname: the class requires it"),
    "a misspelt optional": (
        type("M", (BaseModel,), {"__annotations__": {"gird": str | None}, "gird": None}),
        "data.gird: the class reads it",
    ),
    "too few values": (reading("state", Literal["open"]), "data.state: the class does not take ['done']"),
    "a closed list of an open one": (reading("word", Literal["a"]), "data.word: the class takes only ['a']"),
    "inner type": (reading("people", list[int]), "data.people[]: can be string"),
    "inner null": (reading("limits", Limited), "data.limits.a: can be null"),
    "any property": (reading("limits", dict[str, str]), "data.limits: the class takes only"),
    "refuses more": (
        type("S", (BaseModel,), {"__annotations__": {"id": UUID}, "model_config": ConfigDict(extra="forbid")}),
        "data: the class refuses properties",
    ),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_class_is_caught(fault: str) -> None:
    model, words = WRONG[fault]
    assert any(found.startswith(words) for found in misreadings(PROMISED, model)), misreadings(PROMISED, model)


@pytest.mark.parametrize(
    "bound", [Field(gt=1), Field(ge=2), Field(le=8), Field(lt=9)], ids=["above 1", "from 2", "to 8", "below 9"]
)
def test_a_narrower_bound_is_caught(bound: Any) -> None:
    narrow = type("N", (BaseModel,), {"__annotations__": {"count": int}, "count": bound})
    assert misreadings(PROMISED, narrow)


@given(instances(PROMISED))
@settings(max_examples=50)
def test_the_rule_and_the_class_agree(data: dict[str, Any]) -> None:
    Good.model_validate(data)
    Loose.model_validate(data)
