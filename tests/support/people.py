"""Access tokens of invented people, signed with a key that lives as long as the test session."""

import functools
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from lianhu_kit.tokens import Grant, make_key_pair, sign
from lianhu_tools.keys import ISSUER, person_of

__all__ = ["ISSUER", "bearer", "key_set", "person_of", "signing_key", "token", "token_of", "write_key_set"]
_KEY_ID = "tests"


@functools.cache
def _key() -> tuple[str, dict[str, Any]]:
    return make_key_pair(_KEY_ID)


def signing_key() -> tuple[str, str]:
    """The private key of the session's tokens as PEM, and its id: for tokens that no rule would make."""
    return _key()[0], _KEY_ID


def key_set() -> dict[str, list[dict[str, Any]]]:
    """The public half of the session's key, as a JSON Web Key Set."""
    return {"keys": [_key()[1]]}


def write_key_set(file: Path) -> Path:
    """Writes the key set where LIANHU_AUTH_JWKS can name it."""
    file.write_text(json.dumps(key_set()))
    return file


def token(role: str, at: str, person: UUID | str | None = None, *, lifetime: float = 900) -> str:
    """An access token for one role at one place; a negative lifetime (seconds) gives one that has expired."""
    return token_of([(role, at)], person or person_of(role, at), lifetime=lifetime)


def token_of(roles: list[tuple[str, str]], person: UUID | str, *, lifetime: float = 900) -> str:
    """An access token of a person with several roles."""
    grants = [Grant(role, at) for role, at in roles]
    who, span = UUID(str(person)), timedelta(seconds=lifetime)
    return sign(_key()[0], _KEY_ID, issuer=ISSUER, person=who, roles=grants, lifetime=span)


def bearer(role: str, at: str, person: UUID | str | None = None) -> dict[str, str]:
    """The header that carries such a token."""
    return {"Authorization": f"Bearer {token(role, at, person)}"}
