"""Access tokens: JWT (RFC 7519) signed with ES256; the key set (RFC 7517) is kept on disk while its source is away."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from lianhu_kit.divisions import LENGTHS
from lianhu_kit.logs import logger

ALGORITHM = "ES256"
AUDIENCE = "lianhu"
LIFETIME = timedelta(minutes=15)
FETCH_SECONDS = 60.0
REFRESH_SECONDS = 600.0
LEEWAY = 5
KEPT_TOKENS = 4096
FIRST_SECONDS = 0.2  # while there is no key at all, as in the moment in which everything starts
_log = logger(__name__)


@dataclass(frozen=True)
class Grant:
    """A role at a division code: it reaches everything under the code."""

    role: str
    at: str

    @property
    def scope(self) -> str:
        """The code that rows are filtered by: the village of a grid or group, else the code itself."""
        return self.at[:12]


@dataclass(frozen=True)
class Caller:
    """Who calls, as their token says; `token` is passed on where another service is asked in their name."""

    person: UUID
    roles: tuple[Grant, ...]
    token: str = ""


class KeysAway(Exception):
    """No key set was ever read, and its source does not answer: nobody's token can be checked for now."""


class BadToken(Exception):
    """The token does not count; the message says why, without repeating any of it."""


def make_key_pair(kid: str) -> tuple[str, dict[str, Any]]:
    """A new private key as PEM, and its public half as a JSON Web Key."""
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return pem, public_key(pem, kid)


def public_key(pem: str, kid: str) -> dict[str, Any]:
    """The public half of a private key, as a JSON Web Key."""
    private = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise TypeError("signing keys are elliptic curve keys (P-256)")
    key: dict[str, Any] = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(private.public_key()))
    return {**key, "kid": kid, "use": "sig", "alg": ALGORITHM}


def sign(
    pem: str, kid: str, *, issuer: str, person: UUID, roles: Sequence[Grant], lifetime: timedelta = LIFETIME
) -> str:
    """An access token for a person with these roles."""
    issued = datetime.now(UTC)
    claims = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": str(person),
        "iat": issued,
        "exp": issued + lifetime,
        "roles": [{"role": grant.role, "at": grant.at} for grant in roles],
    }
    return jwt.encode(claims, pem, algorithm=ALGORITHM, headers={"kid": kid})


class TokenVerifier:
    """Checks tokens against the issuer's key set, which is read from an address or a file and kept on disk."""

    def __init__(self, source: str, *, issuer: str, cache: Path) -> None:
        self._source = source
        self._issuer = issuer
        self._cache = cache
        self._keys: dict[str, jwt.PyJWK] = {}
        # Tokens that were found good, to the letter, and until when they are: a caller sends the same one for minutes.
        self._good: dict[str, tuple[Caller, float]] = {}
        self._fetched = float("-inf")
        self._read_once = False
        self._fetching = asyncio.Lock()

    async def verify(self, token: str) -> Caller:
        """Who calls; BadToken where signature, issuer, audience, times or claims are not right.

        KeysAway where there is no key set yet, neither from its source nor from disk.
        """
        known = self._good.get(token)
        if known is not None:
            if time.time() < known[1]:
                return known[0]
            del self._good[token]
        try:
            kid = str(jwt.get_unverified_header(token).get("kid", ""))
            key = await self._key(kid)
            claims = jwt.decode(
                token,
                key.key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=self._issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
            roles = tuple(Grant(str(role["role"]), str(role["at"])) for role in claims.get("roles", ()))
            person = UUID(claims["sub"])
        except jwt.PyJWTError as error:
            raise BadToken(f"The token does not count: {type(error).__name__}. Sign in again.") from None
        except (KeyError, TypeError, ValueError, AttributeError):
            raise BadToken("The token's claims have the wrong shape. Sign in again.") from None
        if any(not _is_code(grant.at) for grant in roles):
            raise BadToken("A role in the token is at something that is no division code. Sign in again.")
        caller = Caller(person, roles, token)
        if self._keys.get(kid) is key:  # nobody took a new key set meanwhile
            if len(self._good) >= KEPT_TOKENS:
                del self._good[next(iter(self._good))]
            self._good[token] = caller, float(claims["exp"]) + LEEWAY
        return caller

    async def keep_fresh(self) -> None:
        """Reads the key set before the first call needs it, and then every ten minutes; runs until cancelled.

        So a service that was never called can go on while the source is away, and a key removed there ends here.
        """
        while True:
            await self._fetch()
            await asyncio.sleep(REFRESH_SECONDS if self._read_once else FIRST_SECONDS)

    async def _key(self, kid: str) -> jwt.PyJWK:
        if not self._keys:
            self._load()
        if kid not in self._keys:
            await self._fetch()
        if not self._keys:
            raise KeysAway("the key set was never read")
        if kid not in self._keys:
            raise BadToken("The token is signed with a key that is not known here. Sign in again.")
        return self._keys[kid]

    async def _fetch(self) -> None:
        """Reads the key set anew, once a minute at most: unknown key ids must not make us knock all the time."""
        async with self._fetching:
            if time.monotonic() < self._fetched + (FETCH_SECONDS if self._keys else FIRST_SECONDS / 2):
                return
            try:
                async with asyncio.timeout(5):
                    text = await self._read()
                self._take(text)
                self._read_once = True
            except (httpx.HTTPError, OSError, ValueError, TimeoutError) as error:
                _log.warning("key set not read", error=type(error).__name__)
                return
            finally:
                self._fetched = time.monotonic()  # at the end: who queued behind a slow source does not ask it again
        try:
            self._cache.parent.mkdir(parents=True, exist_ok=True)
            new = self._cache.with_suffix(".new")
            new.write_text(text)
            new.replace(self._cache)
        except OSError as error:
            _log.warning("key set not kept", error=type(error).__name__)

    async def _read(self) -> str:
        if not self._source.startswith(("http://", "https://")):
            return await asyncio.to_thread(Path(self._source).read_text)
        async with httpx.AsyncClient(timeout=5, follow_redirects=False, trust_env=False) as client:
            answer = await client.get(self._source)
            answer.raise_for_status()
            return answer.text

    def _load(self) -> None:
        """Takes the key set that was kept, enough to start and run while its source is away."""
        try:
            self._take(self._cache.read_text())
        except (OSError, ValueError):
            return

    def _take(self, text: str) -> None:
        """Takes a key set over, leaving out keys of other kinds; ValueError where none is left: the old ones stay."""
        keys = {}
        given = json.loads(text)
        for key in given.get("keys", ()) if isinstance(given, dict) else ():
            try:
                keys[str(key["kid"])] = jwt.PyJWK(key, ALGORITHM)
            except (jwt.PyJWTError, KeyError, TypeError, ValueError, AttributeError):
                continue
        if not keys:
            raise ValueError("no usable key in the key set")
        self._keys = keys
        self._good.clear()  # what a key signed that is gone now ends here


def _is_code(at: str) -> bool:
    # A resident's reach is what is their own: their role needs no place.
    return at == "" or (at.isascii() and at.isdigit() and len(at) in LENGTHS)
