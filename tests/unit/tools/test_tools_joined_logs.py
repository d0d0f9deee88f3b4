"""One request's lines out of all logs."""

import json
from pathlib import Path

from lianhu_tools.looks.follow import joined


def test_lines_of_one_trace_or_cause_are_joined_in_the_order_of_their_time(tmp_path: Path) -> None:
    api, worker = tmp_path / "requests.api.log", tmp_path / "dispatch.worker.log"
    api.write_text(
        "no JSON\n{broken\n[1]\n"
        + json.dumps({"event": "call", "trace_id": "t1", "request_id": "c1", "timestamp": "2"})
        + "\n"
        + json.dumps({"event": "other", "trace_id": "t2", "request_id": "c2", "timestamp": "1"})
        + "\n"
    )
    worker.write_text(json.dumps({"event": "taken", "trace_id": "tx", "request_id": "e1", "timestamp": "1"}) + "\n")
    lines = list(joined([api, worker], ["t1", "e1"]))
    assert [line.split(":")[0] for line in lines] == ["dispatch.worker", "requests.api"]
    assert not list(joined([api, worker], ["nobody"]))
