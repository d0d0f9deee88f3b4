"""Passwords and keys of the system in containers, made at its first start; each process can read its own alone.

One folder (a volume) for each that may read it: `postgres` the superuser's password, `<service>-<role>` the address of
the service's database under that role in a file named as the setting, `keys` the keys that sign access tokens;
notifications finds there the token as well with which it asks how people are reached.
"""

import os
import secrets
from pathlib import Path
from urllib.parse import quote, urlsplit

from lianhu_tools import keys
from lianhu_tools.stores.server import ROLES
from lianhu_tools.topology import SERVICES

FOLDER = Path("/secrets")
SERVER = "postgres:5432"


def superuser_file(folder: Path) -> Path:
    """Where the superuser's password lies."""
    return folder / "postgres" / "password"


def url_file(folder: Path, service: str, role: str) -> Path:
    """Where the address of a service's database under a role lies."""
    return folder / f"{service}-{role}" / f"{service}_database_url".upper()


def password_of(folder: Path, service: str, role: str) -> str:
    """The password in that address. Raises FileNotFoundError where `secrets` did not run yet."""
    return urlsplit(url_file(folder, service, role).read_text()).password or ""


def ensure(folder: Path) -> None:
    """Makes what is missing. LIANHU_POSTGRES_PASSWORD, where given, is the superuser's password at the first start."""
    given = os.environ.get("LIANHU_POSTGRES_PASSWORD") or secrets.token_hex(24)
    # PostgreSQL's own user reads it, whose number differs from image to image; nobody else has this volume.
    _write(superuser_file(folder), given, 0o444)
    for service in SERVICES:
        for role in ROLES:
            user, password = f"{service}_{role}", secrets.token_hex(24)
            url = f"postgresql://{user}:{quote(password)}@{SERVER}/{service}"
            _write(url_file(folder, service, role), url, 0o400)
    keys.ensure(folder / "keys")
    issuer = os.environ.get("LIANHU_AUTH_ISSUER", keys.ISSUER)
    for role in ("api", "worker"):
        file = folder / f"notifications-{role}" / "NOTIFICATIONS_SERVICE_TOKEN"
        file.unlink(missing_ok=True)  # signed anew at every start: with the newest key, and for another year
        _write(file, keys.service_token(folder / "keys", issuer=issuer), 0o400)


def _write(file: Path, content: str, mode: int) -> None:
    """Writes a file that is there whole or not at all, unless it is there already."""
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text(content)
    new.chmod(mode)
    new.replace(file)
