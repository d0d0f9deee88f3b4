"""What `make status` says of each service, and what to do next."""

from pathlib import Path

import pytest

from lianhu_tools.looks.standing import Standing, head_of, standings
from lianhu_tools.topology import SERVICES, Topology


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({}, []),
        ({"away": "its database does not answer."}, ["does not answer"]),
        ({"revision": "0001"}, ["its database is at 0001"]),
        ({"oldest_unpublished": 61.0}, ["not published"]),
        ({"oldest_overdue": 121.0, "parked": 2}, ["timers are late", "2 events are parked"]),
    ],
)
def test_what_to_do_next_follows_from_the_figures(figures: dict[str, object], words: list[str]) -> None:
    given: dict[str, object] = {"service": "dispatch", "version": "1", "head": "0002", "revision": "0002", **figures}
    said = Standing(**given).next()  # type: ignore[arg-type]
    assert len(said) == len(words)
    assert all(word in sentence for word, sentence in zip(words, said, strict=True))


def test_the_newest_revision_in_the_sources_is_the_head(tmp_path: Path) -> None:
    versions = tmp_path / "services" / "dispatch" / "migrations" / "versions"
    versions.mkdir(parents=True)
    for name in ("0001_first.py", "0010_tenth.py", "0002_second.py"):
        (versions / name).touch()
    assert head_of("dispatch", tmp_path) == "0010"
    assert head_of("nobody", tmp_path) == "?"


async def test_a_system_that_is_down_is_no_error() -> None:
    found = await standings(Topology(Path(__file__).parents[3], 1024, {"LIANHU_BROKER": "external"}))
    assert [each.service for each in found] == list(SERVICES)
    assert all(each.away and each.lag is None for each in found)
