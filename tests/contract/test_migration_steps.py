"""Migrations that could not run beside the version before them are found; those that could are let through."""

from pathlib import Path

import pytest

from integration.kit.renaming import write_revisions
from lianhu_tools.migration_steps import Releases, faults, releases

ROOT = Path(__file__).parents[2]
SERVICES = ["requests", "dispatch", "notifications", "reporting"]
FIRST = Releases([{"kit": "0001"}])
LATER = Releases([{"kit": "0001"}, {"kit": "0004"}])
HEAD = "from lianhu_kit.migrations import run, without_transaction\n\nrevision, down_revision = '0002', '0001'\n"
TAIL = "branch_labels = depends_on = None\n\n\ndef upgrade():\n"


def planted(folder: Path, body: str, attributes: str = "") -> Path:
    """Migrations with one revision after the first."""
    write_revisions(folder, "0001")
    (folder / "versions" / "0002_planted.py").write_text(f"{HEAD}{attributes}\n{TAIL}    {body}\n")
    return folder


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("ALTER TABLE notes ADD COLUMN title text NOT NULL", "adding-required-field"),
        ("CREATE INDEX notes_words ON notes (words)", "require-concurrent-index-creation"),
        ("ALTER TABLE notes DROP COLUMN words", "ban-drop-column"),
        ("ALTER TABLE notes RENAME COLUMN words TO content", "renaming-column"),
        ("ALTER TABLE notes RENAME TO pages", "renaming-table"),
        ("ALTER TABLE notes ALTER COLUMN words TYPE bytea USING words::bytea", "changing-column-type"),
        ("ALTER TABLE notes ADD CONSTRAINT short CHECK (length(words) < 9)", "constraint-missing-not-valid"),
        ("ALTER TABLE notes ALTER COLUMN twin SET NOT NULL", "adding-not-nullable-field"),
        ("ALTER TABLE notes ADD CONSTRAINT once UNIQUE (words)", "disallowed-unique-constraint"),
        ("DROP TABLE notes", "ban-drop-table"),
        ("UPDATE notes SET words = ''", "small batches"),
    ],
)
def test_a_bad_migration_is_caught(tmp_path: Path, statement: str, rule: str) -> None:
    found = faults(planted(tmp_path, f"run({statement!r})"), "kit", FIRST)
    assert any(rule in fault and fault.startswith("kit 0002: ") for fault in found), found


def test_an_index_cannot_be_built_beside_the_calls_within_the_transaction(tmp_path: Path) -> None:
    found = faults(planted(tmp_path, "run('CREATE INDEX CONCURRENTLY a ON notes (words)')"), "kit", FIRST)
    assert any("ban-concurrent-index-creation-in-transaction" in fault for fault in found), found


def test_a_new_column_and_its_loss_are_not_one_step(tmp_path: Path) -> None:
    body = "run('ALTER TABLE notes ADD COLUMN content text; ALTER TABLE notes DROP COLUMN words')"
    assert any("ban-drop-column" in fault for fault in faults(planted(tmp_path, body), "kit", FIRST))
    found = faults(planted(tmp_path, body, "contracts = '0001'"), "kit", FIRST)
    assert [fault for fault in found if "it only takes away" not in fault] == []
    assert found


def test_a_contract_step_waits_for_the_release_of_what_it_ends(tmp_path: Path) -> None:
    renamed = write_revisions(tmp_path, "0005")
    found = faults(renamed, "kit", FIRST)
    assert found == ["kit 0005: it contracts 0002, which no release has shipped yet: the version before still needs it"]
    assert faults(renamed, "kit", LATER) == []


def test_what_a_function_does_when_it_is_called_is_no_migration(tmp_path: Path) -> None:
    body = "run('CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$\\nUPDATE notes SET words = 1\\n$$')"
    assert faults(planted(tmp_path, body), "kit", FIRST) == []


@pytest.mark.parametrize("service", SERVICES)
def test_releases_name_revisions_that_there_are(service: str) -> None:
    files = (ROOT / "services" / service / "migrations" / "versions").glob("*.py")
    known = {file.name[:4] for file in files}
    for heads in releases(ROOT).heads:
        assert heads[service] in known
