"""Logs: JSON lines with ids, and no personal data even where somebody handed them some."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from lianhu_kit.context import caused_by
from lianhu_kit.logs import configure, logger, redact

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """What was logged, parsed; logging is as it was afterwards."""
    root = logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure("kit", "info")
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.configure(**before)
    structlog.contextvars.clear_contextvars()


@pytest.mark.parametrize(
    "text",
    ["13800138000", "+86 13800138000", "86-138-0013-8000", "138 0013 8000", "11010519491231002X", "440524188001010014"],
)
def test_phones_and_identity_numbers_are_removed_wherever_they_stand(text: str) -> None:
    event = {"a": f"call {text}!", "b": [{"c": f"({text})"}, (text,)], "d": {"e": {"f": text}}, "g": ValueError(text)}
    assert text not in str(redact(None, "", event))
    assert str(redact(None, "", {"a": f"call {text}!"})["a"]) == "call [removed]!"


def test_codes_numbers_ids_and_times_stay() -> None:
    event = {
        "village": "441702008205", "group": "44170200820500102", "count": 13800138000, "number": "10000004",
        "id": "01a20545-5936-7769-88d9-5fbbbfc0e769", "time": "2026-11-22T21:32:46.123456Z", "on": True, "no": None,
    }  # fmt: skip
    assert redact(None, "", dict(event)) == event


def test_lines_are_json_and_carry_the_cause(lines: Lines) -> None:
    with caused_by("call-1", TRACE):
        logger("kit.test").info("done 13800138000", count=3, words=["13800138000"])
        logging.getLogger("library").warning("said %s", "13800138000")
    own, foreign = lines()
    assert own["request_id"] == foreign["request_id"] == "call-1"
    assert own["trace_id"] == foreign["trace_id"] == TRACE[3:35]
    assert (own["event"], own["count"], own["words"], own["service"]) == ("done [removed]", 3, ["[removed]"], "kit")
    assert (own["logger"], own["level"]) == ("kit.test", "info")
    assert foreign["event"] == "said [removed]"


def test_tracebacks_show_neither_local_variables_nor_rows_of_the_database(lines: Lines) -> None:
    def fails() -> None:
        name, phone = "张三", "13800138000"
        assert name
        assert phone
        raise ValueError(
            'null value in column "x"\nDETAIL:  Failing row contains (1, 李四, two\n\nlines, 13800138000).'
        )

    try:
        fails()
    except ValueError as cause:
        try:
            raise RuntimeError("later") from cause
        except RuntimeError:
            logger("kit.test").exception("failed")
    (line,) = lines()
    assert "ValueError: null value in column" in line["exception"]
    assert "RuntimeError: later" in line["exception"]
    assert "李四" not in line["exception"]
    assert "13800138000" not in line["exception"].replace('phone = "张三", "13800138000"', "").split("Failing row")[-1]
    assert 'name = "张三"' not in line["exception"]
