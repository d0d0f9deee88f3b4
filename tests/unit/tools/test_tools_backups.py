"""Which backup is taken, and that a fence names rows that are there."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from lianhu_tools.faults import Fault
from lianhu_tools.stores import backups, fences
from lianhu_tools.stores.postgres import Cluster

ROOT = Path(__file__).resolve().parents[3]
BASE, DUMP, OTHER = "base-20261120T080000Z", "requests-20261121T080000Z.dump", "dispatch-20261121T080000Z.dump"


def cluster(folder: Path, *names: str) -> Any:
    """A cluster with these backups, and the remains of one that did not end."""
    made = Cluster(Path("/nowhere"), folder / "data", 1, None)
    made.backups.mkdir()
    for name in (*names, "requests-20261122T080000Z.dump.begun"):
        (made.backups / name).mkdir() if name.startswith("base") else (made.backups / name).touch()
    return made


def test_a_base_goes_before_a_younger_dump_as_its_log_leads_to_the_end(tmp_path: Path) -> None:
    at = cluster(tmp_path, BASE, DUMP, OTHER)
    assert backups.chosen(at, "requests", "").name == BASE
    assert backups.chosen(at, "requests", DUMP).at == datetime(2026, 11, 21, 8, tzinfo=UTC)


def test_the_newest_dump_of_the_service_where_there_is_no_base(tmp_path: Path) -> None:
    at = cluster(tmp_path, OTHER, "requests-20261119T080000Z.dump", DUMP)
    assert backups.chosen(at, "requests", "").name == DUMP


def test_another_services_dump_is_none_of_ours_and_what_there_is_is_said(tmp_path: Path) -> None:
    at = cluster(tmp_path, OTHER, DUMP)
    with pytest.raises(Fault, match=f"there are: {re.escape(DUMP)}"):
        backups.chosen(at, "requests", OTHER)
    with pytest.raises(Fault, match="There is no backup of notifications"):
        backups.chosen(at, "notifications", "")


def test_every_topic_that_somebody_writes_has_rows_that_count_its_keys() -> None:
    topics = yaml.safe_load((ROOT / "shared/contracts/topics.yaml").read_text("utf-8"))["topics"]
    written = {(topic["owner"], topic["name"]) for topic in topics if not topic.get("planned")}
    assert {(service, topic) for service, rows in fences.ROWS.items() for topic in rows} == written


@pytest.mark.parametrize("service", sorted(fences.ROWS))
def test_the_rows_have_a_sequence(service: str) -> None:
    made = sorted((ROOT / "services" / service / "migrations/versions").glob("0*.py"))
    sql = "\n".join(file.read_text("utf-8") for file in made)
    for tables in fences.ROWS[service].values():
        for table, _ in tables:
            columns = re.search(rf"CREATE TABLE {table} \((.*?)\);", sql, re.DOTALL)
            assert columns is not None
            assert re.search(r"\bsequence (integer|smallint|bigint) NOT NULL", columns[1]), table
