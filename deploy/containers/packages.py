"""Installs into a virtual environment just those packages of requirements.lock that the given projects ask for.

    python packages.py FOLDER requirements.lock [--without NAME]… PYPROJECT…

Which packages those are, pip's own resolver says, held to the versions of the lock; what is installed is checked
against the lock's hashes. What is there already stays, so that images share their first layers. Standard library and
pip only: this runs in an image's first stage.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

OWN = re.compile(r"lianhu(-\w+)?$")


def plain(name: str) -> str:
    """A distribution's name as the lock writes it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def asked(projects: list[Path], without: set[str]) -> list[str]:
    """What the projects depend on, apart from each other and from what is left out."""
    found = []
    for project in projects:
        for line in tomllib.loads(project.read_text("utf-8"))["project"]["dependencies"]:
            name = plain(re.match(r"[\w.-]+", line).group(0))
            if not OWN.match(name) and name not in without:
                found.append(line)
    return found


def entries(lock: Path) -> dict[str, str]:
    """The lock's entries with their hashes, by distribution."""
    blocks = re.findall(r"^[^\s#].*(?:\n[ \t]+.*)*", lock.read_text("utf-8"), flags=re.MULTILINE)
    return {plain(block.split("==")[0].split("[")[0]): block for block in blocks}


def main() -> None:
    """Makes the environment in FOLDER; it brings no pip of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("lock", type=Path)
    parser.add_argument("projects", type=Path, nargs="+")
    parser.add_argument("--without", action="append", default=[])
    given = parser.parse_args()
    locked = entries(given.lock)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    with tempfile.TemporaryDirectory() as scratch:
        pins, report, chosen = (Path(scratch) / name for name in ("pins.txt", "report.json", "chosen.txt"))
        pins.write_text("\n".join(re.sub(r"\s*\\?\n\s*--hash=\S+( \\)?", "", entry) for entry in locked.values()))
        wanted = asked(given.projects, set(given.without))
        if not (given.folder / "pyvenv.cfg").exists():
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(given.folder)], check=True)
        pip += ["--python", str(given.folder / "bin" / "python")]
        resolve = ["install", "--dry-run", "--report", str(report), "-c", str(pins), *wanted]
        subprocess.run([*pip, *resolve], check=True)
        names = {plain(each["metadata"]["name"]) for each in json.loads(report.read_text())["install"]}
        if unlocked := names - locked.keys():
            sys.exit(f"requirements.lock lacks {', '.join(sorted(unlocked))}: run `make lock`.")
        chosen.write_text("\n".join(locked[name] for name in sorted(names)) + "\n")
        if names:
            subprocess.run([*pip, "install", "--no-deps", "--require-hashes", "-r", str(chosen)], check=True)
    print(f"{len(names)} packages of {len(locked)} in the lock")


if __name__ == "__main__":
    main()
