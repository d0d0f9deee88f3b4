"""Tokens: what does not count, and keys that are known, fetched, kept on disk or away."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from lianhu_kit import tokens
from lianhu_kit.tokens import BadToken, Grant, KeysAway, TokenVerifier, make_key_pair, public_key, sign
from support import eventually

PERSON = UUID("6c69616e-6875-4000-8000-000000000001")
PEM, JWK = make_key_pair("one")
OTHER_PEM, OTHER_JWK = make_key_pair("one")
TWO_PEM, TWO_JWK = make_key_pair("two")
ROLES = [Grant("clerk", "441702008205"), Grant("volunteer", "441702008205001"), Grant("resident", "")]


class Verifier(TokenVerifier):
    """A verifier that counts how often it asks its source."""

    asked = 0
    answer: Any = None

    async def _read(self) -> str:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return json.dumps({"keys": self.answer}) if isinstance(self.answer, list) else str(self.answer)


def verifier(folder: Path, *keys: dict[str, Any], issuer: str = "lianhu") -> Verifier:
    """One whose source answers with these keys."""
    made = Verifier("http://127.0.0.1:1/jwks.json", issuer=issuer, cache=folder / "deep" / "keys.json")
    made.answer = list(keys)
    return made


def token(pem: str = PEM, kid: str = "one", *, lifetime: float = 900, issuer: str = "lianhu", **claims: Any) -> str:
    """A token, good but for what is said; a claim of None is left out."""
    if not claims:
        return sign(pem, kid, issuer=issuer, person=PERSON, roles=ROLES, lifetime=timedelta(seconds=lifetime))
    now = int(time.time())
    all_claims = {
        "iss": issuer, "aud": "lianhu", "sub": str(PERSON), "iat": now, "exp": now + lifetime, "roles": [], **claims,
    }  # fmt: skip
    kept = {name: value for name, value in all_claims.items() if value is not None}
    return jwt.encode(kept, pem, algorithm="ES256", headers={"kid": kid})


def part(value: dict[str, Any]) -> str:
    """A part of a token made by hand."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


async def test_a_good_token_says_who_calls_and_where(tmp_path: Path) -> None:
    caller = await verifier(tmp_path, JWK).verify(token())
    assert caller.person == PERSON
    assert caller.roles == tuple(ROLES)
    assert [grant.scope for grant in caller.roles] == ["441702008205", "441702008205", ""]


async def test_tokens_that_do_not_count(tmp_path: Path) -> None:
    claims = {"iss": "lianhu", "aud": "lianhu", "sub": str(PERSON), "iat": 0, "exp": 9_999_999_999, "roles": []}
    unsigned = f"{part({'alg': 'none', 'kid': 'one', 'typ': 'JWT'})}.{part(claims)}."
    head = f"{part({'alg': 'HS256', 'kid': 'one', 'typ': 'JWT'})}.{part(claims)}"
    # The public key as the secret of a symmetric signature: the oldest trick.
    secret = json.dumps(JWK).encode()
    symmetric = f"{head}.{base64.urlsafe_b64encode(hmac.new(secret, head.encode(), hashlib.sha256).digest()).decode()}"
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    good = token()
    bad = {
        "nothing": "",
        "garbage": "a.b.c",
        "unsigned": unsigned,
        "symmetric": symmetric.rstrip("="),
        "another algorithm": jwt.encode(claims, rsa_key, algorithm="RS256", headers={"kid": "one"}),
        "another key of that name": token(OTHER_PEM),
        "an unknown key": token(kid="two"),
        "no key named": jwt.encode(claims, PEM, algorithm="ES256"),
        "expired": token(lifetime=-60),
        "from tomorrow": token(iat=int(time.time()) + 86_400, exp=int(time.time()) + 90_000),
        "wrong issuer": token(issuer="other"),
        "wrong audience": token(aud="other"),
        **{f"no {claim}": token(**dict[str, Any]({claim: None})) for claim in ("exp", "iat", "iss", "aud", "sub")},
        "no person": token(sub="somebody"),
        "a number as person": token(sub=5),
        "changed": good[:-8] + ("A" * 8 if good[-8:] != "A" * 8 else "B" * 8),
        "roles as text": token(roles="clerk"),
        "roles as a number": token(roles=5),
        "a role without a place": token(roles=[{"role": "clerk"}]),
        "a place of letters": token(roles=[{"role": "clerk", "at": "44x"}]),
        "a place of no level": token(roles=[{"role": "clerk", "at": "44170"}]),
        "a place that is all": token(roles=[{"role": "clerk", "at": "%"}]),
        "a place in other digits": token(roles=[{"role": "clerk", "at": "٤٤"}]),
        "one good and one bad place": token(roles=[{"role": "clerk", "at": "44"}, {"role": "clerk", "at": None}]),
    }
    checking = verifier(tmp_path, JWK)
    await checking.verify(good)
    said = {name: await _said(checking, each) for name, each in bad.items()}
    assert {name: text for name, text in said.items() if not text.endswith("Sign in again.") or "eyJ" in text} == {}


async def _said(checking: TokenVerifier, each: str) -> str:
    try:
        return f"counted: {await checking.verify(each)}"
    except BadToken as error:
        return str(error)


async def test_an_unknown_key_asks_the_source_once_a_minute_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    checking = verifier(tmp_path, JWK)
    await checking.verify(token())
    assert checking.asked == 1
    for source in ([JWK], httpx.ConnectError("away"), "no JSON", "[]", '{"keys": 5}', '{"keys": []}', OSError()):
        checking.answer = source
        before = checking.asked
        clock += 61
        for _ in range(5):
            with pytest.raises(BadToken):
                await checking.verify(token(TWO_PEM, "two"))
        clock += 58
        with pytest.raises(BadToken):
            await checking.verify(token(TWO_PEM, "two"))
        assert checking.asked == before + 1
        await checking.verify(token())  # the key that is known goes on


async def test_two_keys_overlap_and_the_old_one_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    checking = verifier(tmp_path, JWK)
    await checking.verify(token())
    checking.answer = [JWK, TWO_JWK]
    clock += 61
    await checking.verify(token(TWO_PEM, "two"))
    await checking.verify(token())
    checking.answer = [TWO_JWK]
    clock += 61
    with pytest.raises(BadToken):
        await checking.verify(token(kid="three"))  # the set is read anew
    with pytest.raises(BadToken):
        await checking.verify(token())
    await checking.verify(token(TWO_PEM, "two"))


async def test_the_key_set_on_disk_is_enough_while_its_source_is_away(tmp_path: Path) -> None:
    await verifier(tmp_path, JWK).verify(token())
    restarted = verifier(tmp_path)
    restarted.answer = httpx.ConnectError("away")
    await restarted.verify(token())
    assert restarted.asked == 0


async def test_without_any_key_set_nobody_can_be_judged(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "keys.json").write_text("{ broken")
    alone = verifier(tmp_path)
    alone.answer = httpx.ReadTimeout("slow")
    with pytest.raises(KeysAway):
        await alone.verify(token())
    alone.answer = [JWK]
    alone._fetched = float("-inf")
    await alone.verify(token())


async def test_keys_of_other_kinds_in_the_set_do_no_harm(tmp_path: Path) -> None:
    others = [{"kty": "RSA", "kid": "r", "n": "AQAB", "e": "AQAB"}, {"kid": "x"}, {"kty": "EC"}, "text", None, {}]
    await verifier(tmp_path, *others, JWK).verify(token())  # type: ignore[arg-type]


async def test_a_folder_that_cannot_be_written_is_no_reason_to_refuse(tmp_path: Path) -> None:
    (tmp_path / "deep").write_text("a file in the place of the folder")
    await verifier(tmp_path, JWK).verify(token())


async def test_a_file_is_a_source_too(tmp_path: Path) -> None:
    source = tmp_path / "jwks.json"
    source.write_text(json.dumps({"keys": [public_key(PEM, "one")]}))
    checking = TokenVerifier(str(source), issuer="lianhu", cache=tmp_path / "kept.json")
    assert (await checking.verify(token())).person == PERSON


async def test_the_key_set_is_there_before_the_first_call(tmp_path: Path) -> None:
    ahead = verifier(tmp_path, JWK)
    keeping = asyncio.create_task(ahead.keep_fresh())
    await eventually(lambda: asyncio.to_thread((tmp_path / "deep" / "keys.json").exists))
    keeping.cancel()
    ahead.answer = httpx.ConnectError("away")
    assert (await ahead.verify(token())).person == PERSON
    assert ahead.asked == 1


async def test_a_token_found_good_counts_until_it_expires_or_its_key_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checking, decoded, clock = verifier(tmp_path, JWK), list[str](), time.time()
    decode: Any = jwt.decode

    def counted(given: str, *rest: Any, **named: Any) -> Any:
        decoded.append(given)
        return decode(given, *rest, **named)

    monkeypatch.setattr(jwt, "decode", counted)
    short, long = token(lifetime=60), token(lifetime=900)
    for _ in range(3):
        assert await checking.verify(short) == await checking.verify(short)
        await checking.verify(long)
    assert decoded == [short, long]
    with pytest.raises(BadToken):
        await checking.verify(short[:-4] + ("AAAA" if short[-4:] != "AAAA" else "BBBB"))
    monkeypatch.setattr(time, "time", lambda: clock + 66)
    decoded.clear()
    await checking.verify(long)
    monkeypatch.setattr(jwt, "decode", lambda *_, **__: (_ for _ in ()).throw(jwt.ExpiredSignatureError()))
    with pytest.raises(BadToken, match="ExpiredSignatureError"):
        await checking.verify(short)
    assert decoded == []
    checking.answer = [TWO_JWK]
    monkeypatch.setattr(time, "monotonic", lambda: clock * 2)
    with pytest.raises(BadToken):
        await checking.verify(token(TWO_PEM, "other"))  # an unknown key: the source is asked, the old key is gone there
    with pytest.raises(BadToken, match="not known here"):
        await checking.verify(long)


async def test_no_more_tokens_are_remembered_than_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "KEPT_TOKENS", 2)
    checking = verifier(tmp_path, JWK)
    for lifetime in (100, 200, 300):
        await checking.verify(token(lifetime=lifetime))
    assert len(checking._good) == 2
