"""What a check can hold of the house's rules: sizes, names, and what may never stand in the repository."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST = 400
FORBIDDEN_NAMES = {"utils", "helpers", "common", "base", "misc"}


def tracked() -> list[Path]:
    """The files that version control knows."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_no_python_file_is_too_long() -> None:
    long = {
        str(file.relative_to(ROOT)): lines
        for file in tracked()
        if file.suffix == ".py" and (lines := file.read_text("utf-8").count("\n")) > LONGEST
    }
    assert not long, f"look for the second noun in them: {long}"


def test_no_room_has_a_name_that_says_nothing() -> None:
    rooms = {part for file in tracked() if file.suffix == ".py" for part in (*file.parent.parts, file.stem)}
    assert not rooms & FORBIDDEN_NAMES


def test_test_folders_are_no_packages() -> None:
    packages = [file.parent for file in tracked() if file.name == "__init__.py" and "tests" in file.parts]
    assert not [folder for folder in packages if any(folder.rglob("test_*.py"))]


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?<![\w.$}])/(?:home|root|work)/[\w.-]+/",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/=]{20}",
        r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.",
    ],
    ids=["a path of somebody's machine", "a private key", "a token"],
)
def test_nothing_private_is_in_the_repository(pattern: str) -> None:
    shape = re.compile(pattern)
    found = []
    for file in tracked():
        try:
            text = file.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        if file != Path(__file__) and (match := shape.search(text)):
            found.append(f"{file.relative_to(ROOT)}: {match.group(0)[:40]}")
    assert not found


def test_the_lock_carries_hashes_and_no_addresses() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    assert lock.count("--hash=sha256:") > lock.count("==") > 50


def test_every_service_states_its_canvas() -> None:
    for service in ("requests", "dispatch", "notifications", "reporting"):
        canvas = (ROOT / "services" / service / "README.md").read_text("utf-8")
        for part in ("Commands", "Queries", "Events out", "Events in", "Tables", "Settings"):
            assert re.search(rf"^## {part}", canvas, re.MULTILINE | re.IGNORECASE), f"{service}: {part}"


def documents() -> list[Path]:
    """Every page of the documentation."""
    return [file for file in tracked() if file.suffix == ".md"]


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in documents()
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not broken


def test_every_file_that_a_document_names_is_there() -> None:
    files = {str(file.relative_to(ROOT)) for file in tracked()}
    missing = [
        f"{page.relative_to(ROOT)}: {name}"
        for page in documents()
        for name in re.findall(r"`(\w[\w./-]*/[\w./-]+\.(?:py|yaml|json|csv|md|sh))`", page.read_text("utf-8"))
        if not any(file == name or file.endswith("/" + name) for file in files)
    ]
    assert not missing


def test_every_make_target_that_a_document_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        (str(page.relative_to(ROOT)), target)
        for page in documents()
        for target in re.findall(r"(?:`|^)make (?:-s )?([a-z][a-z0-9-]+)", page.read_text("utf-8"), re.MULTILINE)
    }
    assert {target for _, target in named} >= {"demo", "test"}
    assert not {entry for entry in named if entry[1] not in targets}
