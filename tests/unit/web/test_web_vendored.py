"""Files of others are just what their packages brought, with their licences beside them."""

import hashlib
import json
import re
from pathlib import Path

import pytest

from lianhu_web.icons import ICONS
from lianhu_web.showing import DOORS

ROOT = Path(__file__).parents[3]
VENDORED: dict[str, dict[str, str]] = json.loads((ROOT / "shared/web/vendored.json").read_text("utf-8"))


@pytest.mark.parametrize("file", VENDORED)
def test_a_file_is_what_its_package_brought(file: str) -> None:
    assert hashlib.sha256((ROOT / file).read_bytes()).hexdigest() == VENDORED[file]["sha256"]


@pytest.mark.parametrize("file", VENDORED)
def test_a_licence_lies_beside_it(file: str) -> None:
    place = ROOT / file
    names = (place.name.split(".")[0], VENDORED[file]["package"])  # one for all files of a package
    found = [place.parent / f"{name}-licence.txt" for name in names]
    assert max(each.stat().st_size for each in found if each.exists()) > 500


def test_no_other_packed_program_is_kept() -> None:
    kept = {
        str(file.relative_to(ROOT))
        for folder in ("shared", "services", "tests")
        for file in (ROOT / folder).rglob("*.min.js")
    }
    assert kept == {file for file in VENDORED if file.endswith(".js")}


def test_every_icon_is_one_of_the_package_and_says_nothing_by_itself() -> None:
    folder = ROOT / "shared/web/src/lianhu_web/icons"
    assert {str(file.relative_to(ROOT)) for file in folder.glob("*.svg")} == {
        file for file in VENDORED if file.endswith(".svg")
    }
    for drawn in ICONS.values():
        assert 'aria-hidden="true"' in drawn
        assert not re.search(r"style=|on\w+=|<script|href=", drawn)


def test_every_door_of_the_bar_has_its_icon() -> None:
    assert {drawn for _, drawn, _, _ in DOORS} <= set(ICONS)
