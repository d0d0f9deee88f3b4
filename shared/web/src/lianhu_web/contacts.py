"""Contact details for whoever has the right to them: read from requests with their own token, shown, kept nowhere."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from lianhu_web.words import N_

SECONDS = 3.0
WHY = {
    409: N_("They arrive in a moment: open the page again."),
    403: N_("The work has ended, and with it the right to the contact details."),
    404: N_("There are none for you."),
}
AWAY = N_("They cannot be read at the moment; the rest goes on. Try again in a minute.")


@dataclass(frozen=True)
class Read:
    """The details, or a sentence why there are none."""

    details: dict[str, Any] = field(default_factory=dict)
    why: str = ""


async def contact_of(requests_url: str, token: str, request_id: UUID) -> Read:
    """Asks `GET <requests>/v1/requests/{id}/contact` as the caller; it is in the audit log there."""
    try:
        async with httpx.AsyncClient(base_url=requests_url, timeout=SECONDS, trust_env=False) as client:
            answer = await client.get(
                f"/v1/requests/{request_id}/contact", headers={"Authorization": f"Bearer {token}"}
            )
    except httpx.HTTPError:
        return Read(why=AWAY)
    if answer.is_success:
        return Read(details=answer.json())
    return Read(why=WHY.get(answer.status_code, AWAY))
