"""Renewing sign-ins for the pages of this service, which keeps the sessions itself."""

from fastapi import FastAPI

from lianhu_kit.database import Database, is_transient
from lianhu_web.visiting import Away, Renewed
from requests_service.handlers.signing_in import Signer, renew


class OwnRenewal:
    """Looks the session up in this service's own database."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def renew(self, secret: str) -> Renewed | None:
        """A new token for the session, None where it ended. Raises Away where the database does not answer."""
        database: Database = self._app.state.database
        signer: Signer = self._app.state.signer
        try:
            async with database.transaction() as session:
                found = await renew(session, signer, secret)
        except Exception as error:
            if is_transient(error):
                raise Away() from None
            raise
        return Renewed(found.token, found.seconds) if found else None
