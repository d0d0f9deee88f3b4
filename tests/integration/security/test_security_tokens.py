"""Tokens that must not count, sent to all four services as they run: each forgery by each service is a case."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from integration.security.served import Served
from lianhu_kit.tokens import Grant, make_key_pair, sign
from lianhu_tools.keys import ISSUER
from lianhu_tools.topology import SERVICES
from support import village
from support.people import key_set, signing_key, token

PEM, KID = signing_key()
OTHER_PEM, _ = make_key_pair(KID)
# One closed call of each service, that any clerk may make.
CLOSED = {
    "requests": "/v1/requests",
    "dispatch": "/v1/assignments",
    "notifications": "/v1/calls?tenant={at}",
    "reporting": "/v1/tallies?org={at}&by=service",
}

GOOD = {name: 404 if name == "reporting" else 200 for name in SERVICES}  # reporting has heard of no village yet


def claims(at: str, **more: Any) -> dict[str, Any]:
    """The claims of a clerk's good token, but for what is said; a claim of None is left out."""
    now = int(time.time())
    roles = [{"role": "clerk", "at": at}]
    good = {"iss": ISSUER, "aud": "lianhu", "sub": str(uuid4()), "iat": now, "exp": now + 900, "roles": roles}
    return {name: value for name, value in {**good, **more}.items() if value is not None}


def signed(body: dict[str, Any], pem: str = PEM, **header: Any) -> str:
    """A token with these claims."""
    return jwt.encode(body, pem, algorithm="ES256", headers={"kid": KID, **header})


def by_hand(header: dict[str, Any], body: dict[str, Any], secret: bytes | None = None) -> str:
    """A token put together without a library, as libraries refuse to make it."""
    parts = [_part(json.dumps(each).encode()) for each in (header, body)]
    text = ".".join(parts)
    return f"{text}.{_part(hmac.new(secret, text.encode(), hashlib.sha256).digest()) if secret else ''}"


def _part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def public_pem() -> bytes:
    """The public key as anybody can write it down who has read the key set."""
    key: Any = jwt.PyJWK(key_set()["keys"][0]).key
    pem: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


def _swapped(at: str) -> str:
    """A good token's signature under claims of its holder's own making."""
    head, _, signature = token("clerk", village()).split(".")
    return f"{head}.{_part(json.dumps(claims(at)).encode())}.{signature}"


def _without(name: str, at: str) -> str:
    return "Bearer " + signed(claims(at, **{name: None}))


FORGERIES: dict[str, Callable[[str], str | None]] = {
    "no header": lambda at: None,
    "an empty one": lambda at: "Bearer",
    "another scheme": lambda at: "Basic " + base64.b64encode(b"clerk:clerk").decode(),
    "no scheme": lambda at: token("clerk", at),
    "expired": lambda at: f"Bearer {token('clerk', at, lifetime=-60)}",
    "not valid yet": lambda at: "Bearer " + signed(claims(at, nbf=int(time.time()) + 3600)),
    "issued tomorrow": lambda at: "Bearer " + signed(claims(at, iat=int(time.time()) + 86_400)),
    "alg none": lambda at: "Bearer " + by_hand({"alg": "none", "kid": KID}, claims(at)),
    "alg None": lambda at: "Bearer " + by_hand({"alg": "None", "kid": KID, "typ": "JWT"}, claims(at)),
    "no signature": lambda at: "Bearer " + signed(claims(at)).rsplit(".", 1)[0] + ".",
    "another key of that name": lambda at: "Bearer " + signed(claims(at), OTHER_PEM),
    "a key that is not known": lambda at: "Bearer " + signed(claims(at), OTHER_PEM, kid="unknown"),
    "a key id that is a path": lambda at: "Bearer " + signed(claims(at), OTHER_PEM, kid="../../../../etc/passwd"),
    "a key that it brings itself": lambda at: "Bearer " + signed(claims(at), OTHER_PEM, jwk=make_key_pair(KID)[1]),
    "a key set that it names": lambda at: "Bearer " + signed(claims(at), OTHER_PEM, jku="http://127.0.0.1:9/keys"),
    "HS256 with the public key": lambda at: (
        "Bearer " + by_hand({"alg": "HS256", "kid": KID, "typ": "JWT"}, claims(at), public_pem())
    ),
    "HS256 with the key set": lambda at: (
        "Bearer " + by_hand({"alg": "HS256", "kid": KID}, claims(at), json.dumps(key_set()["keys"][0]).encode())
    ),
    "wrong audience": lambda at: "Bearer " + signed(claims(at, aud="another")),
    "wrong issuer": lambda at: "Bearer " + signed(claims(at, iss="another")),
    **{f"without {name}": partial(_without, name) for name in ("iss", "aud", "sub", "iat", "exp")},
    "other claims under a good signature": _swapped,
    "a person who is none": lambda at: "Bearer " + signed(claims(at, sub="admin' OR '1'='1")),
    "a place that is everywhere": lambda at: "Bearer " + signed(claims(at, roles=[{"role": "clerk", "at": "%"}])),
    "huge": lambda at: "Bearer " + signed(claims(at, padding="x" * 30_000), OTHER_PEM),
    "deeply nested": lambda at: f"Bearer {_part(b'[' * 20_000)}.{_part(b'[' * 20_000)}.AAAA",
    "not ASCII": lambda at: "Bearer " + "\u00e9" * 40,
}
ENDS_SESSION = {"huge", "deeply nested"}  # the server may refuse so long a header before the service sees it


@pytest.mark.parametrize("service", SERVICES)
async def test_forged_tokens(served: Served, home: str, service: str) -> None:
    path = CLOSED[service].format(at=home)
    async with httpx.AsyncClient(base_url=served.url(service), trust_env=False, timeout=30) as client:
        good = await client.get(path, headers={"Authorization": f"Bearer {token('clerk', home)}"})
        assert good.status_code == GOOD[service], good.text
        wrong = {}
        for name, make in FORGERIES.items():
            header = make(home)
            headers = [] if header is None else [(b"authorization", header.encode("latin-1"))]
            answer = await client.get(path, headers=headers)
            if answer.status_code == 401 and answer.headers["content-type"] == "application/problem+json":
                if "eyJ" not in answer.text:  # never repeated
                    continue
            elif name in ENDS_SESSION and answer.status_code in (400, 431):
                continue
            wrong[name] = f"{answer.status_code} {answer.text[:200]}"
        assert wrong == {}
        again = await client.get(path, headers={"Authorization": f"Bearer {token('clerk', home)}"})
        assert again.status_code == GOOD[service]
    print(f"{service}: {len(FORGERIES)} forgeries refused")


@pytest.mark.parametrize("service", SERVICES)
async def test_a_role_of_another_village_reads_nothing_here(served: Served, home: str, service: str) -> None:
    elsewhere = village()
    async with httpx.AsyncClient(base_url=served.url(service), trust_env=False, timeout=30) as client:
        headers = {"Authorization": f"Bearer {token('clerk', elsewhere)}"}
        answer = await client.get(CLOSED[service].format(at=home), headers=headers)
        assert answer.status_code == 404 or answer.json() == {"items": []}, answer.text
        wide = sign(PEM, KID, issuer=ISSUER, person=uuid4(), roles=[Grant("clerk", "")], lifetime=timedelta(minutes=1))
        nowhere = await client.get(CLOSED[service].format(at=home), headers={"Authorization": f"Bearer {wide}"})
        assert nowhere.status_code in (403, 404) or nowhere.json() == {"items": []}, nowhere.text
