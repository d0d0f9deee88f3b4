"""Messages to phones: brought by whoever the deployment says, at most once, and kept nowhere here."""

import asyncio
import json
from pathlib import Path
from typing import Protocol

import httpx

from lianhu_kit.identifiers import new_id
from lianhu_kit.logs import logger
from lianhu_kit.problems import Unavailable

SECONDS = 2.5  # whoever asked for a code waits three
TO_A_FILE = "file"
CODE = {
    "zh-CN": "【联户】验证码 {code}，五分钟内有效。请不要告诉任何人。",
    "en": "[Lianhu] Your code is {code}. It counts for five minutes. Tell nobody.",
}
_log = logger(__name__)


class PhoneProvider(Protocol):
    """Whoever brings a message to a phone."""

    async def send(self, phone: str, text: str) -> None:
        """Hands it over, once. Raises Unavailable where that failed or nobody knows whether it did."""


class FileProvider:
    """Writes each message into a folder: for a system without a gateway, and to look at what would be sent."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, phone: str, text: str) -> None:
        """One file a message, readable by the service's user alone."""
        await asyncio.to_thread(self._write, {"to": phone, "text": text})

    def _write(self, message: dict[str, str]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = self._folder / f"{new_id()}.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(message, ensure_ascii=False), "utf-8")


class GatewayProvider:
    """Posts `{id, to, text}` to the deployment's gateway, which brings it to the phone; 2xx is 'taken'."""

    def __init__(self, address: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._address = address
        self._transport = transport

    async def send(self, phone: str, text: str) -> None:
        """Never sent a second time: what was not answered in time may have been sent, and its code is void."""
        body = {"id": str(new_id()), "to": phone, "text": text}
        try:
            async with (
                asyncio.timeout(SECONDS),
                httpx.AsyncClient(timeout=SECONDS, trust_env=False, transport=self._transport) as client,
            ):
                answer = await client.post(self._address, json=body)
        except (httpx.HTTPError, TimeoutError) as error:
            _log.warning("a message was not taken", reason=type(error).__name__)
            raise _not_sent() from None
        if not answer.is_success:
            _log.warning("a message was not taken", reason=answer.status_code)
            raise _not_sent()


class NoProvider:
    """For a deployment that names no gateway."""

    async def send(self, phone: str, text: str) -> None:
        """Raises Unavailable."""
        raise Unavailable("No gateway for messages to phones is set up: NOTIFICATIONS_PHONE_GATEWAY.", after=60)


def provider_of(gateway: str, state: Path) -> PhoneProvider:
    """The provider that a deployment chose: an address, `file`, or none."""
    if gateway == TO_A_FILE:
        return FileProvider(state / "messages")
    return GatewayProvider(gateway) if gateway else NoProvider()


def _not_sent() -> Unavailable:
    return Unavailable("The message could not be handed over. Ask for it again in a moment.", after=10)
