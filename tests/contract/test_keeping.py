"""What is kept, and how long: the page names every table and topic, at the times that the settings and topics have."""

import re
from pathlib import Path

import yaml

from lianhu_kit.retention import RULES
from lianhu_kit.settings import ServiceSettings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
SECTION = PAGE.partition("\n## What is kept, and how long\n")[2].partition("\n## ")[0]
ROWS = [line for line in SECTION.splitlines() if line.startswith("|")]
TOPICS = yaml.safe_load((ROOT / "shared" / "contracts" / "topics.yaml").read_text("utf-8"))["topics"]
DAY = 86_400_000
# Kafka deletes whole segments, and closes one after 7 days at the latest (segment.ms).
SEGMENT_DAYS = 7


def first_cells() -> str:
    """What the page's rows are about."""
    return "\n".join(row.split("|")[1] for row in ROWS)


def test_every_table_has_its_row() -> None:
    kit = [ROOT / "shared/src/lianhu_kit" / name for name in ("migrations.py", "fencing.py")]
    sources = [*ROOT.glob("services/*/migrations/versions/*.py"), *kit]
    made = {
        name
        for source in sources
        for name in re.findall(r"CREATE (?:UNLOGGED )?TABLE (?:IF NOT EXISTS )?([a-z_]+)", source.read_text("utf-8"))
    }
    assert "published" in made
    missing = sorted(name for name in made if f"`{name}`" not in first_cells())
    assert not missing, f"say in docs/operations.md how long these are kept, and who ends them: {missing}"


def test_every_topic_has_its_row() -> None:
    missing = [topic["name"] for topic in TOPICS if f"`{topic['name']}`" not in first_cells()]
    assert not missing


def test_a_topic_with_an_end_is_said_with_its_days() -> None:
    for topic in TOPICS:
        if topic["retention_ms"] > 0:
            assert f"`{topic['name']}` ({topic['retention_ms'] // DAY} days)" in first_cells()


def test_the_times_are_those_of_the_settings() -> None:
    fields = {name: field for name, field in ServiceSettings.model_fields.items() if name.startswith("keep_")}
    assert {rule.days_of for rule in RULES} == set(fields)
    for name, field in fields.items():
        assert f"{field.default} days, `LIANHU_{name.upper()}`" in SECTION
    for rule in RULES:
        assert f"`{rule.table}`" in first_cells()


def test_an_inbox_row_outlasts_what_the_broker_can_deliver_again() -> None:
    """Events without a sequence come from outsiders only: their topics have to end, and sooner than the inbox."""
    outsiders = [topic for topic in TOPICS if "integrator" in topic["writers"]]
    assert outsiders
    least = next(
        constraint.ge
        for constraint in ServiceSettings.model_fields["keep_inbox_days"].metadata
        if hasattr(constraint, "ge")
    )
    for topic in outsiders:
        assert topic["cleanup"] == "delete"
        assert 0 < topic["retention_ms"] // DAY + SEGMENT_DAYS < least
