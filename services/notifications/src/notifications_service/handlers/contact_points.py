"""How somebody is reached: asked from requests at the moment of sending, and kept nowhere here."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

import httpx
from pydantic import BaseModel, SecretStr, ValidationError

from lianhu_kit.logs import logger
from notifications_service.domain.choices import Channel

SECONDS = 5.0
_log = logger(__name__)


class Away(Exception):
    """Requests does not say how somebody is reached: the message waits until it does."""


class Points(BaseModel):
    """A person's addresses; both null for who is gone or wants none."""

    phone: str | None = None
    mail: str | None = None

    def of(self, channel: Channel) -> str | None:
        """The address that a channel needs."""
        return self.mail if channel is Channel.MAIL else self.phone


@dataclass(frozen=True)
class ContactPoints:
    """Asks `GET <requests>/internal/people/{id}/contact-points` with this service's own token."""

    requests_url: str
    token: SecretStr
    transport: httpx.AsyncBaseTransport | None = None

    async def of(self, person: UUID) -> Points:
        """Addresses of a person, none for whom requests does not know. Raises Away where it cannot be asked."""
        headers = {"Authorization": f"Bearer {self.token.get_secret_value()}"}
        address = f"{self.requests_url}/internal/people/{person}/contact-points"
        try:
            async with (
                asyncio.timeout(SECONDS),
                httpx.AsyncClient(timeout=SECONDS, trust_env=False, transport=self.transport) as client,
            ):
                answer = await client.get(address, headers=headers)
            if answer.status_code == httpx.codes.NOT_FOUND:
                return Points()
            answer.raise_for_status()
            return Points.model_validate_json(answer.content)
        except (httpx.HTTPError, TimeoutError, ValidationError) as error:
            # 401 and 403 are the operator's: the token has ended or was never one.
            _log.warning("nobody says how people are reached", reason=type(error).__name__)
            raise Away from None
