"""Access tokens of invented people, signed with a key that lives as long as the test session."""

import functools
import json
import time
import uuid
from pathlib import Path
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

ISSUER = "lianhu"
AUDIENCE = "lianhu"
_KEY_ID = "tests"
_PEOPLE = UUID("6c69616e-6875-4000-8000-000000000000")


@functools.cache
def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_set() -> dict[str, list[dict[str, str]]]:
    """The public half of the session's key, as a JSON Web Key Set."""
    jwk = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(_key().public_key()))
    return {"keys": [{**jwk, "kid": _KEY_ID, "use": "sig", "alg": "ES256"}]}


def write_key_set(file: Path) -> Path:
    """Writes the key set where LIANHU_AUTH_JWKS can name it."""
    file.write_text(json.dumps(key_set()))
    return file


def person_of(role: str, at: str) -> UUID:
    """The same invented person each time for a role and place."""
    return uuid.uuid5(_PEOPLE, f"{role}:{at}")


def token(role: str, at: str, person: UUID | str | None = None, *, lifetime: float = 900) -> str:
    """An access token for one role at one place; a negative lifetime (seconds) gives one that has expired."""
    return token_of([(role, at)], person or person_of(role, at), lifetime=lifetime)


def token_of(roles: list[tuple[str, str]], person: UUID | str, *, lifetime: float = 900) -> str:
    """An access token of a person with several roles."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(person),
        "iat": now,
        "exp": int(now + lifetime),
        "roles": [{"role": role, "at": at} for role, at in roles],
    }
    return jwt.encode(claims, _key(), algorithm="ES256", headers={"kid": _KEY_ID})


def bearer(role: str, at: str, person: UUID | str | None = None) -> dict[str, str]:
    """The header that carries such a token."""
    return {"Authorization": f"Bearer {token(role, at, person)}"}
