"""The keyed hash that people served are found by: who has the database alone cannot try names against it."""

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path


def fingerprint(key: bytes, tenant: str, identity: str) -> bytes:
    """The fingerprint of somebody served in a village (HMAC, RFC 2104)."""
    return hmac.digest(key, f"{tenant}/{identity}".encode(), hashlib.sha256)


def served_key(folder: Path) -> bytes:
    """The key of the fingerprints of people served, from `served.key`; made where there is none yet.

    Whoever exchanges it makes people who were served before count as new ones.
    """
    file = folder / "served.key"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        new = folder / f"served.{secrets.token_hex(4)}.new"
        new.write_text(secrets.token_hex(32))
        new.chmod(0o600)
        with suppress(FileExistsError):
            os.link(new, file)  # of several processes that start at once, one makes it
        new.unlink()
    return hashlib.sha256(file.read_text().strip().encode()).digest()
