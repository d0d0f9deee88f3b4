"""Migrations of a service stand in one line, and their names rise with it: readiness compares names."""

from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

ROOT = Path(__file__).parents[2]
SERVICES = ["requests", "dispatch", "notifications", "reporting"]


@pytest.mark.parametrize("service", SERVICES)
def test_revisions_are_one_line_in_the_order_of_their_names(service: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "services" / service / "migrations").replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    assert len(scripts.get_heads()) == 1, f"let one of {scripts.get_heads()} follow the other"
    line = [script.revision for script in reversed(list(scripts.walk_revisions()))]
    assert line == sorted(line), "a later revision needs a later name"
    assert line[0] == "0001"


@pytest.mark.parametrize("service", SERVICES)
def test_a_revision_stands_in_the_file_of_its_name(service: str) -> None:
    for file in (ROOT / "services" / service / "migrations" / "versions").glob("*.py"):
        assert f'revision = "{file.name[:4]}"' in file.read_text("utf-8"), file.name
