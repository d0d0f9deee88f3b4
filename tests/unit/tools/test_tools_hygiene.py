"""The list of licences catches what is not free; the scan catches a key that is left in a file."""

import subprocess
from email.message import Message
from importlib.metadata import Distribution
from pathlib import Path
from typing import cast

import pytest

from lianhu_kit.tokens import make_key_pair
from lianhu_tools.hygiene import found_secrets, licence, not_free


class Made:
    """A distribution with just this metadata."""

    def __init__(self, *fields: tuple[str, str]) -> None:
        self.metadata = Message()
        for name, value in (("Name", "made"), *fields):
            self.metadata[name] = value


@pytest.mark.parametrize(
    ("fields", "free"),
    [
        ([("License-Expression", "MIT OR Apache-2.0")], True),
        ([("License-Expression", "MPL-2.0 AND (Apache-2.0 OR MIT)")], True),
        ([("License-Expression", "MIT AND GPL-3.0-or-later")], False),
        ([("Classifier", "License :: OSI Approved :: MIT License")], True),
        ([("Classifier", "License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)")], False),
        ([("License", "BSD-3-Clause")], True),
        ([("License", "Proprietary")], False),
        ([], False),
    ],
)
def test_what_is_not_free_is_named(fields: list[tuple[str, str]], free: bool) -> None:
    made = cast(Distribution, Made(*fields))
    assert (not_free([made]) == []) == free, licence(made)


def test_a_key_that_was_left_in_a_file_is_found(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "clean.py").write_text("ONE = 1\n")
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    assert found_secrets(tmp_path) == []
    (tmp_path / "key.pem").write_text(make_key_pair("left")[0])
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    assert found_secrets(tmp_path) == ["key.pem:1 Private Key"]
