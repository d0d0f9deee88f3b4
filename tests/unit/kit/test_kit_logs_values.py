"""Errors that repeat a value are logged without it."""

import asyncpg
import pytest
from pydantic import BaseModel, ValidationError

from lianhu_kit.logs import redact


class Person(BaseModel):
    """Something with a field that can be wrong."""

    age: int


def _faulty() -> str:
    with pytest.raises(ValidationError) as caught:
        Person.model_validate({"age": "王小明 of door 3, input_type=str"})
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (_faulty(), "age\n  Input should be a valid integer"),
        (
            str(asyncpg.DataError("invalid input for query argument $3: '王小明' (expected int, got str)")),
            "invalid input for query argument $3: ",
        ),
        ('invalid input syntax for type uuid: "王小明"\n[SQL: SELECT 1]', "\n[SQL: SELECT 1]"),
        ('malformed array literal: "{王小明"', "malformed array literal: "),
        ('date/time field value out of range: "王小明"', "out of range: "),
        ("{'type': 'int', 'loc': ('response', 'age'), 'msg': 'bad', 'input': '王小明'}", "'loc': ('response', 'age')"),
    ],
)
def test_values_are_removed_and_what_is_wrong_stays(text: str, kept: str) -> None:
    shown = redact(None, "", {"exception": f"Traceback:\n{text}\nnext line"})["exception"]
    assert "王小明" in text
    assert "王小明" not in shown
    assert kept in shown
    assert shown.endswith("next line")
