"""`python -m lianhu_tools.migration_steps`: every migration can run while the version before it still answers calls.

squawk reads the SQL that each revision renders; what it cannot know is checked here: that rows are not filled in by a
migration, and that nothing goes before a release shipped without the need for it (docs/decisions/0017).
"""

import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml
from alembic.config import Config
from alembic.script import Script, ScriptDirectory

from lianhu_kit.upgrading import render
from lianhu_tools.topology import SERVICES, clone

RELEASES = Path("deploy/releases.yaml")
# Taste, or held otherwise: a revision is one transaction, so it need not bear being run twice; sizes are chosen.
_LEFT_OUT = ("prefer-robust-stmts", "prefer-bigint-over-int", "prefer-bigint-over-smallint", "prefer-text-field")
# What a contract step is for.
_CONTRACTS = ("ban-drop-column", "ban-drop-table", "ban-drop-not-null")
_BODIES = re.compile(r"\$(\w*)\$.*?\$\1\$", re.DOTALL)
_FILLS = re.compile(r"^(?:UPDATE|DELETE FROM|INSERT INTO \w+[^;]*\bSELECT\b)(?![^;]*alembic_version)", re.MULTILINE)
_ADDS = re.compile(r"^CREATE TABLE|\bADD (?:COLUMN|CONSTRAINT)\b", re.MULTILINE)


@dataclass(frozen=True)
class Releases:
    """Which revisions have shipped: a service's newest in each release, the oldest release first."""

    heads: list[dict[str, str]]

    def first(self, service: str) -> str:
        """The newest revision of the first release: what it made was empty, and nobody called it yet."""
        return self.heads[0].get(service, "")

    def shipped(self, service: str, revision: str) -> bool:
        """Whether a release came out with this revision."""
        return any(revision <= heads.get(service, "") for heads in self.heads)


def releases(root: Path) -> Releases:
    """As `deploy/releases.yaml` tells them."""
    told = yaml.safe_load((root / RELEASES).read_text("utf-8"))
    return Releases([each["revisions"] for each in told["releases"]])


def faults(directory: Path, service: str, shipped: Releases) -> list[str]:
    """What is wrong with the revisions under `directory` that are newer than the first release's, a line each."""
    config = Config()
    config.set_main_option("script_location", str(directory).replace("%", "%%"))
    found: list[str] = []
    for script in reversed(list(ScriptDirectory.from_config(config).walk_revisions())):
        if script.revision > shipped.first(service):
            sql = render(directory, str(script.down_revision or "base"), script.revision)
            found += [f"{service} {script.revision}: {fault}" for fault in _of_one(script, service, sql, shipped)]
    return found


def _of_one(script: Script, service: str, sql: str, shipped: Releases) -> list[str]:
    contracts: str | None = getattr(script.module, "contracts", None)
    told = _squawk(sql, [*_LEFT_OUT, *(_CONTRACTS if contracts else ())])
    plain = _BODIES.sub("''", sql)
    if found := _FILLS.search(plain):
        told.append(f"{found[0].split(chr(10))[0]!r}: rows are filled in small batches by a worker, not in a migration")
    if contracts and not shipped.shipped(service, contracts):
        told.append(f"it contracts {contracts}, which no release has shipped yet: the version before still needs it")
    if contracts and (found := _ADDS.search(plain)):
        told.append(f"{found[0]!r} in a contract step: it only takes away; expand in a revision of its own")
    return told


def _squawk(sql: str, excluded: list[str]) -> list[str]:
    """What squawk finds, as `rule: message (the statement's first line)`."""
    program = Path(sys.executable).parent / "squawk"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "revision.sql"
        file.write_text(sql, "utf-8")
        command = [
            str(program),
            "--pg-version",
            "18.0",
            "--reporter",
            "json",
            "--exclude",
            ",".join(excluded),
            str(file),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or not done.stdout.strip():
        raise RuntimeError(f"squawk ended with {done.returncode}: {done.stderr[-500:]}")
    lines = sql.splitlines()
    return [f"{hit['rule_name']}: {hit['message']} ({lines[hit['line']].strip()})" for hit in json.loads(done.stdout)]


def main() -> int:
    """One line a fault, or one that says that there is none; the exit code."""
    root = clone()
    shipped = releases(root)
    found = [fault for name in SERVICES for fault in faults(root / "services" / name / "migrations", name, shipped)]
    print("\n".join(found) or "every migration can run beside the version before it")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
