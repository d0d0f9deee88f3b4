"""Renewing a sign-in from a service that keeps no sessions: the requests service is asked, by an internal call."""

import httpx

from lianhu_web.visiting import Away, Renewed

SECONDS = 3.0


class RemoteRenewal:
    """Asks `POST <requests>/internal/sessions/renew`: four times an hour and visitor, so each call connects anew."""

    def __init__(self, requests_url: str) -> None:
        self._address = f"{requests_url}/internal/sessions/renew"

    async def renew(self, secret: str) -> Renewed | None:
        """A new token for the session, None where it ended. Raises Away where requests does not answer."""
        try:
            async with httpx.AsyncClient(timeout=SECONDS, trust_env=False) as client:
                answer = await client.post(self._address, json={"secret": secret})
        except httpx.HTTPError:
            raise Away() from None
        if answer.status_code in (401, 404, 422):
            return None
        if not answer.is_success:
            raise Away()
        given = answer.json()
        return Renewed(str(given["token"]), int(given["seconds"]))
