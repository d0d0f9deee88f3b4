"""The keys of the local system, made once at set-up, and the tokens that they sign."""

import secrets
import uuid
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from lianhu_kit.identifiers import new_id
from lianhu_kit.tokens import LIFETIME, Grant, make_key_pair, sign
from lianhu_tools.faults import Fault

ISSUER = "lianhu"
SERVICE = UUID(int=0)  # a service is nobody: no person has this id
SERVICE_LIFETIME = timedelta(days=400)  # signed anew at every start
_PEOPLE = UUID("6c69616e-6875-4000-8000-000000000000")
SERVED_KEY = "served.key"


def ensure(folder: Path) -> None:
    """Makes the signing key (<kid>.pem) and the secret that hides who is served (served.key) where they are missing."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not any(folder.glob("*.pem")):
        kid = f"local-{new_id().hex[:13]}"
        pem, _ = make_key_pair(kid)
        _write(folder / f"{kid}.pem", pem)
    if not (folder / SERVED_KEY).exists():
        _write(folder / SERVED_KEY, secrets.token_hex(32))


def _write(file: Path, content: str) -> None:
    file.touch(mode=0o600)
    file.write_text(content)


def person_of(role: str, at: str) -> UUID:
    """The same invented person each time for a role and a place."""
    return uuid.uuid5(_PEOPLE, f"{role}:{at}")


def token(
    folder: Path, role: str, at: str, person: UUID | None = None, *, issuer: str = ISSUER,
    lifetime: timedelta = LIFETIME,
) -> str:  # fmt: skip
    """An access token of the local system, good for a quarter of an hour, signed with its newest key.

    A resident's `at` may be empty: their reach is what is their own. Raises Fault where no key was made yet.
    """
    found = sorted(folder.glob("*.pem"))
    if not found:
        raise Fault("There is no key to sign a token with yet; run `make setup`.")
    pem = found[-1].read_text()
    return sign(
        pem, found[-1].stem, issuer=issuer, person=person or person_of(role, at), roles=[Grant(role, at)],
        lifetime=lifetime,
    )  # fmt: skip


def service_token(folder: Path, *, issuer: str = ISSUER) -> str:
    """The token with which one service asks at another's `/internal`. Raises Fault where no key was made yet."""
    return token(folder, "service", "", SERVICE, issuer=issuer, lifetime=SERVICE_LIFETIME)
