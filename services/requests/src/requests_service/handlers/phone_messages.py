"""Codes that notifications brings to phones: asked for directly, as a code goes on no topic and in no outbox."""

import asyncio
from uuid import UUID

import httpx

from lianhu_kit.logs import logger
from lianhu_kit.problems import Unavailable
from lianhu_kit.tokens import Grant
from requests_service.handlers.signing_in import Signer

SECONDS = 3.0
# A service is nobody: no person has this id.
SERVICE = UUID(int=0)
_log = logger(__name__)


class PhoneMessages:
    """Asks `POST <notifications>/internal/codes`, as a service; each call connects anew."""

    def __init__(
        self, notifications_url: str, signer: Signer, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._address = f"{notifications_url}/internal/codes"
        self._signer = signer
        self._transport = transport

    async def send(self, phone: str, code: str, language: str) -> None:
        """Hands the code over. Raises Unavailable where notifications does not take it within three seconds."""
        token = self._signer.token(SERVICE, (Grant("service", ""),))
        body = {"phone": phone, "code": code, "locale": language}
        try:
            # httpx bounds each step alone; this bounds them together.
            async with (
                asyncio.timeout(SECONDS),
                httpx.AsyncClient(timeout=SECONDS, trust_env=False, transport=self._transport) as client,
            ):
                answer = await client.post(self._address, json=body, headers={"Authorization": f"Bearer {token}"})
        except (httpx.HTTPError, TimeoutError) as error:
            _log.warning("a code was not taken", reason=type(error).__name__)
            raise _away() from None
        if not answer.is_success:
            _log.warning("a code was not taken", reason=answer.status_code)
            raise _away()


def _away() -> Unavailable:
    return Unavailable("The code could not be sent. Ask for it again in a moment, or call the village.", after=10)
