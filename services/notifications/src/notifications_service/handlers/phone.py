"""Messages to phones: brought by whoever the deployment says, at most once, and kept nowhere here."""

import asyncio
from pathlib import Path
from typing import Protocol
from uuid import UUID

import httpx
import orjson

from lianhu_kit.identifiers import new_id
from lianhu_kit.logs import logger
from lianhu_kit.problems import Unavailable
from notifications_service.domain.outward import Carried
from notifications_service.handlers.carrying import Parcel, keep_in_file

SECONDS = 2.5  # whoever asked for a code waits three
TO_A_FILE = "file"
_BUSY = (408, 425, 429)
CODE = {
    "zh-CN": "【联户】验证码 {code}，五分钟内有效。请不要告诉任何人。",
    "en": "[Lianhu] Your code is {code}. It counts for five minutes. Tell nobody.",
}
SIGNED = {"zh-CN": "【联户】{text}", "en": "[Lianhu] {text}"}
_log = logger(__name__)


class PhoneProvider(Protocol):
    """Whoever brings a message to a phone."""

    async def bring(self, identifier: UUID, phone: str, text: str) -> Carried:
        """Hands it over, once. Raises Unavailable where nobody is set up to."""


async def send_code(provider: PhoneProvider, phone: str, code: str, locale: str) -> None:
    """Hands a code over. Raises Unavailable where that failed or nobody knows: its code is void, a new one is asked."""
    if await provider.bring(new_id(), phone, CODE[locale].format(code=code)) is not Carried.SENT:
        raise Unavailable("The message could not be handed over. Ask for it again in a moment.", after=10)


class FileProvider:
    """Writes each message into a folder: for a system without a gateway, and to look at what would be sent."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def bring(self, identifier: UUID, phone: str, text: str) -> Carried:
        """One file a message."""
        content = orjson.dumps({"to": phone, "text": text})
        await asyncio.to_thread(keep_in_file, self._folder, f"{identifier}.json", content)
        return Carried.SENT


class GatewayProvider:
    """Posts `{id, to, text}` to the deployment's gateway, which brings it to the phone; 2xx is 'taken'."""

    def __init__(self, address: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._address = address
        self._transport = transport

    async def bring(self, identifier: UUID, phone: str, text: str) -> Carried:
        """Never a second time in one call: what was not answered in time may have been sent."""
        body = {"id": str(identifier), "to": phone, "text": text}
        try:
            async with (
                asyncio.timeout(SECONDS),
                httpx.AsyncClient(timeout=SECONDS, trust_env=False, transport=self._transport) as client,
            ):
                answer = await client.post(self._address, json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            _log.warning("a message was not taken", reason=type(error).__name__)
            return Carried.LATER
        except (httpx.HTTPError, TimeoutError) as error:
            _log.warning("a message was not answered for", reason=type(error).__name__)
            return Carried.UNKNOWN
        if answer.is_success:
            return Carried.SENT
        _log.warning("a message was not taken", reason=answer.status_code)
        return Carried.LATER if answer.is_server_error or answer.status_code in _BUSY else Carried.REFUSED


class NoProvider:
    """For a deployment that names no gateway."""

    async def bring(self, identifier: UUID, phone: str, text: str) -> Carried:
        """Raises Unavailable."""
        raise Unavailable("No gateway for messages to phones is set up: NOTIFICATIONS_PHONE_GATEWAY.", after=60)


class PhoneCarrier:
    """Brings parcels to phones, each text with the sender's name before it."""

    def __init__(self, provider: PhoneProvider) -> None:
        self._provider = provider

    async def carry(self, parcel: Parcel) -> Carried:
        """One message a parcel."""
        return await self._provider.bring(parcel.id, parcel.to, SIGNED[parcel.locale].format(text=parcel.text))


def provider_of(gateway: str, state: Path) -> PhoneProvider:
    """The provider that a deployment chose: an address, `file`, or none."""
    if gateway == TO_A_FILE:
        return FileProvider(state / "messages")
    return GatewayProvider(gateway) if gateway else NoProvider()
