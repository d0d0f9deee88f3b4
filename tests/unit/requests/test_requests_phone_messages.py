"""Codes that are handed to notifications: what it is asked, and what it means that it does not answer."""

import asyncio
import json
from pathlib import Path

import httpx
import jwt
import pytest

from lianhu_kit.problems import Unavailable
from lianhu_kit.tokens import make_key_pair
from requests_service.handlers import phone_messages
from requests_service.handlers.phone_messages import SERVICE, PhoneMessages
from requests_service.handlers.signing_in import Signer

PHONE = "13900000001"


def signer(folder: Path) -> Signer:
    (folder / "one.pem").write_text(make_key_pair("one")[0])
    return Signer(folder, "lianhu")


async def test_notifications_is_asked_by_a_service_and_by_nobody_else(tmp_path: Path) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(202)

    sender = PhoneMessages("http://notifications.test", signer(tmp_path), httpx.MockTransport(answer))
    await sender.send(PHONE, "123456", "zh-CN")
    (asked,) = seen
    assert str(asked.url) == "http://notifications.test/internal/codes"
    assert json.loads(asked.content) == {"phone": PHONE, "code": "123456", "locale": "zh-CN"}
    claims = jwt.decode(asked.headers["authorization"].removeprefix("Bearer "), options={"verify_signature": False})
    assert claims["sub"] == str(SERVICE)
    assert claims["roles"] == [{"role": "service", "at": ""}]


@pytest.mark.parametrize("status", [302, 401, 404, 422, 500, 503])
async def test_whatever_is_not_taken_is_unavailable(tmp_path: Path, status: int) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status))
    with pytest.raises(Unavailable) as raised:
        await PhoneMessages("http://notifications.test", signer(tmp_path), transport).send(PHONE, "123456", "en")
    assert "Ask for it again" in str(raised.value.detail)
    assert PHONE not in str(raised.value.detail)


async def test_a_notifications_that_is_away_is_unavailable(tmp_path: Path) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody there", request=request)

    with pytest.raises(Unavailable):
        await PhoneMessages("http://notifications.test", signer(tmp_path), httpx.MockTransport(away)).send(
            PHONE, "123456", "en"
        )


async def test_a_notifications_that_hangs_is_waited_for_no_longer_than_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone_messages, "SECONDS", 0.05)

    async def hang(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    sender = PhoneMessages("http://notifications.test", signer(tmp_path), httpx.MockTransport(hang))
    with pytest.raises(Unavailable):
        await asyncio.wait_for(sender.send(PHONE, "123456", "en"), 5)
