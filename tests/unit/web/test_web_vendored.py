"""Files of others are just what their packages brought, with their licences beside them."""

import hashlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
VENDORED: dict[str, dict[str, str]] = json.loads((ROOT / "shared/web/vendored.json").read_text("utf-8"))


@pytest.mark.parametrize("file", VENDORED)
def test_a_file_is_what_its_package_brought(file: str) -> None:
    assert hashlib.sha256((ROOT / file).read_bytes()).hexdigest() == VENDORED[file]["sha256"]


@pytest.mark.parametrize("file", VENDORED)
def test_a_licence_lies_beside_it(file: str) -> None:
    place = ROOT / file
    assert (place.parent / f"{place.name.split('.')[0]}-licence.txt").stat().st_size > 500


def test_no_other_packed_program_is_kept() -> None:
    kept = {
        str(file.relative_to(ROOT))
        for folder in ("shared", "services", "tests")
        for file in (ROOT / folder).rglob("*.min.js")
    }
    assert kept == set(VENDORED)
