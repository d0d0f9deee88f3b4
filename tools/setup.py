"""Builds the clone's virtual environment from the lock. Standard library only: nothing is installed yet.

Does nothing, quickly, where nothing changed since the last time. `uv` installs where there is one, else `pip`.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
SERVICES = sorted((ROOT / "services").iterdir())
DISTRIBUTIONS = [".", "shared", "shared/web", *(f"services/{each.name}" for each in SERVICES)]
STAMP = ENVIRONMENT / "lianhu.stamp"


def fingerprint() -> str:
    """What the environment depends on: the lock, every pyproject, the place of the clone, this Python."""
    digest = hashlib.sha256(f"{ROOT}\n{sys.version_info[:2]}\n".encode())
    for file in [Path(__file__), LOCK, *(ROOT / each / "pyproject.toml" for each in DISTRIBUTIONS)]:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def up_to_date(wanted: str) -> bool:
    """Whether the environment was built from just this."""
    return (ENVIRONMENT / "bin" / "python").exists() and STAMP.exists() and STAMP.read_text() == wanted


def run(*command: str) -> bool:
    """Runs a command in the clone; whether it succeeded."""
    environment = {**os.environ, "VIRTUAL_ENV": str(ENVIRONMENT)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode == 0


def exists() -> bool:
    """Whether there is an environment of this Python: it is then brought up to date under those who use it."""
    python = ENVIRONMENT / "bin" / "python"
    asked = "import sys; print(*sys.version_info[:2])"
    if not python.exists():
        return False
    said = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=False).stdout
    return said.split() == [str(part) for part in sys.version_info[:2]]


def with_uv() -> bool:
    """Installs with uv; False where there is none, or where it cannot (it reads no pip settings)."""
    uv = shutil.which("uv")
    if uv is None or subprocess.run([uv, "--version"], capture_output=True, check=False).returncode != 0:
        return False
    editable = [part for each in DISTRIBUTIONS for part in ("-e", f"./{each}")]
    python = str(ENVIRONMENT / "bin" / "python")
    return (
        (exists() or run(uv, "venv", "-q", "--clear", "--no-project", "--python", sys.executable, str(ENVIRONMENT)))
        and run(uv, "pip", "install", "-q", "--python", python, "--require-hashes", "-r", str(LOCK))
        and run(uv, "pip", "install", "-q", "--python", python, "--no-deps", "--no-build-isolation", *editable)
    )


def with_pip() -> bool:
    """Installs with the standard library's venv and pip."""
    editable = [part for each in DISTRIBUTIONS for part in ("-e", f"./{each}")]
    python = str(ENVIRONMENT / "bin" / "python")
    pip = [python, "-m", "pip", "-q", "--disable-pip-version-check", "install"]
    return (
        (exists() or run(sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)))
        and (run(python, "-c", "import pip") or run(python, "-m", "ensurepip"))  # uv leaves pip out
        and run(*pip, "--require-hashes", "--no-compile", "-r", str(LOCK))
        and run(*pip, "--no-deps", "--no-build-isolation", "--no-compile", *editable)
    )


def main() -> int:
    """Brings the environment up to date; 1 when it cannot be."""
    wanted = fingerprint()
    if up_to_date(wanted):
        return 0
    (ROOT / ".lianhu").mkdir(exist_ok=True)
    with (ROOT / ".lianhu" / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if up_to_date(wanted):  # somebody else did it while we waited
            return 0
        began = time.monotonic()
        print("Installing the packages of requirements.lock (about a minute the first time) …", flush=True)
        if not with_uv() and not with_pip():
            print("The packages could not be installed; the lines above say why.", file=sys.stderr)
            return 1
        print("Fetching the local broker's programs, making the keys …", flush=True)
        if not run(str(ENVIRONMENT / "bin" / "python"), "-m", "lianhu_tools", "prepare"):
            return 1
        # Compiled once here, or nine processes compile the same modules at once at the first start.
        modules = ["lianhu_tools.local.keeper", *(f"{each.name}_service.__main__" for each in SERVICES)]
        if not run(str(ENVIRONMENT / "bin" / "python"), "-c", f"import {', '.join(modules)}"):
            return 1
        STAMP.write_text(wanted)
        print(f"Set up in {time.monotonic() - began:.0f} s.", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
