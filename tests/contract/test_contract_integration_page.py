"""docs/integration.md says what topics.yaml and the check of events say."""

import re
from pathlib import Path

from support.contracts import HEADERS
from support.declared import Topic, schemas, topics

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "integration.md").read_text("utf-8")
DAY = 24 * 3600 * 1000


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def kept(topic: Topic) -> str:
    """How long, in the page's words."""
    if topic.tombstone_ms is not None:
        return f"the latest per key; deletions {topic.tombstone_ms // DAY} days"
    return "for ever" if topic.retention_ms == -1 else f"{topic.retention_ms // DAY} days"


def test_the_topics_are_those_declared() -> None:
    assert rows("Topics") == [
        [
            f"`{topic.name}`" + (" (planned)" if topic.planned else ""),
            topic.key,
            topic.subject,
            kept(topic),
            ", ".join(topic.writers),
            ", ".join(topic.readers),
        ]
        for topic in topics().values()
    ]


def test_the_attributes_are_those_that_are_checked() -> None:
    names = [name.strip("`") for name, _ in rows("Attributes")]
    assert len(names) == len(set(names))
    assert set(names) == HEADERS


def test_the_files_and_types_that_it_names_are_there() -> None:
    for link in re.findall(r"\]\((\.\.[^)]+)\)", PAGE):
        assert (ROOT / "docs" / link).resolve().exists(), link
    named = set(re.findall(r"`(lianhu\.[a-z-]+\.[a-z-]+\.v\d+)`", PAGE))
    assert named
    assert named <= schemas().keys()
    dispatch = schemas()["lianhu.request.dispatch-requested.v1"]["properties"]
    assert "summary" in dispatch
    assert not [type for type, schema in schemas().items() if "text" in schema["properties"]]
