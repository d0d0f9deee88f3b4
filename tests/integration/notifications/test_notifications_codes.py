"""Codes brought to phones: by a gateway, into files, by nobody; and who may ask for it."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from lianhu_kit.problems import Unavailable
from notifications_service.handlers import phone
from notifications_service.handlers.phone import FileProvider, GatewayProvider, NoProvider, provider_of
from support.people import bearer

BODY = {"phone": "19000000001", "code": "123456", "locale": "en"}
AS_SERVICE = bearer("service", "", UUID(int=0))


async def test_requests_alone_may_ask(notifications: Any, running_api: Any, tmp_path: Path) -> None:
    own = notifications.settings.model_copy(update={"phone_gateway": "file", "state_directory": tmp_path})
    async with running_api(own) as (_, url), httpx.AsyncClient(base_url=url, trust_env=False) as client:
        answer = await client.post("/internal/codes", json=BODY, headers=AS_SERVICE)
    assert answer.status_code == 202, answer.text
    [file] = (tmp_path / "messages").iterdir()
    assert json.loads(file.read_text("utf-8"))["to"] == BODY["phone"]
    assert "123456" in file.read_text("utf-8")
    assert file.stat().st_mode & 0o077 == 0
    for role in ("clerk", "admin", "resident"):
        refused = await notifications.http.post("/internal/codes", json=BODY, headers=bearer(role, "441702008205"))
        assert refused.status_code == 403
    assert (await notifications.http.post("/internal/codes", json=BODY)).status_code == 401


async def test_without_a_gateway_it_says_what_to_set(notifications: Any) -> None:
    answer = await notifications.http.post("/internal/codes", json=BODY, headers=AS_SERVICE)
    assert answer.status_code == 503
    assert "NOTIFICATIONS_PHONE_GATEWAY" in answer.json()["detail"]
    assert BODY["phone"] not in answer.text


@pytest.mark.parametrize("wrong", [{"phone": "x"}, {"code": "12"}, {"locale": "klingon"}, {"more": 1}])
async def test_a_wrong_body_is_said(notifications: Any, wrong: dict[str, Any]) -> None:
    answer = await notifications.http.post("/internal/codes", json={**BODY, **wrong}, headers=AS_SERVICE)
    assert answer.status_code == 422


async def test_a_gateway_gets_each_message_once() -> None:
    seen: list[dict[str, Any]] = []

    def gateway(request: httpx.Request) -> httpx.Response:
        seen.append(json.loads(request.content))
        return httpx.Response(200)

    provider = GatewayProvider("https://messages.example/send", httpx.MockTransport(gateway))
    await phone.send_code(provider, "19000000001", "123456", "en")
    assert [(message["to"], "123456" in message["text"]) for message in seen] == [("19000000001", True)]


@pytest.mark.parametrize("fault", ["refuses", "breaks", "hangs"])
async def test_a_gateway_that_fails_is_said_in_time(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone, "SECONDS", 0.3)
    sent = 0

    async def gateway(_request: httpx.Request) -> httpx.Response:
        nonlocal sent
        sent += 1
        if fault == "hangs":
            await asyncio.sleep(30)
        if fault == "breaks":
            raise httpx.ReadError("gone")
        return httpx.Response(500)

    began = time.monotonic()
    provider = GatewayProvider("https://messages.example/send", httpx.MockTransport(gateway))
    with pytest.raises(Unavailable):
        await phone.send_code(provider, "19000000001", "123456", "en")
    assert time.monotonic() - began < 5
    assert sent == 1


def test_the_setting_chooses(tmp_path: Path) -> None:
    assert isinstance(provider_of("", tmp_path), NoProvider)
    assert isinstance(provider_of("file", tmp_path), FileProvider)
    assert isinstance(provider_of("https://messages.example/send", tmp_path), GatewayProvider)
