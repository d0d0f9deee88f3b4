"""One-time codes: made, counted, sent, checked. A code proves a phone, or the contact of one order."""

import hashlib
import hmac
import math
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.database import Database, enter_scope
from lianhu_kit.identifiers import new_id
from lianhu_kit.problems import TooMany, Unavailable
from requests_service.domain.signing_in import CODE_DIGITS, CODE_SECONDS, DAY, TRIES, wait_for_code

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:subject, 0))")
_SENT = text("SELECT sent_at FROM codes WHERE subject = :subject AND sent_at > :since")
_KEEP = text("INSERT INTO codes (id, subject, code, sent_at, expires_at) VALUES (:id, :subject, :code, :now, :until)")
_FORGET = text("DELETE FROM codes WHERE sent_at < :before")
_UNSENT = text("DELETE FROM codes WHERE id = :id")
# One statement counts the try and uses the code up: of two who come at once with the right one, one gets in.
_TRY = text(
    """
    UPDATE codes SET tries = tries + 1, used_at = CASE WHEN code = :code THEN :now END
    WHERE id = (SELECT id FROM codes WHERE subject = :subject ORDER BY sent_at DESC LIMIT 1)
      AND used_at IS NULL AND expires_at > :now AND tries < :tries
    RETURNING used_at IS NOT NULL
    """
)


class CodeSender(Protocol):
    """Whoever brings a code to a phone."""

    async def send(self, phone: str, code: str, language: str) -> None:
        """Sends it, or raises Unavailable."""


@dataclass(frozen=True)
class Codes:
    """The codes of a deployment. `key` hides phones and codes from whoever has the database alone."""

    database: Database
    key: bytes
    sender: CodeSender

    def _hash(self, *parts: str) -> bytes:
        return hmac.digest(self.key, "/".join(("code", *parts)).encode(), hashlib.sha256)

    async def send(self, proves: str, phone: str, language: str) -> None:
        """Sends a code that proves something (`phone:…`, `order:…`) to a phone.

        Raises TooMany where it had its share (1 a minute, 5 an hour, 10 a day), Unavailable where nobody sends: that
        code is not counted.
        """
        subject = self._hash(proves)
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        made = new_id()
        async with self.database.transaction() as session:
            now = await enter_scope(session, "")
            await session.execute(_LOCK, {"subject": subject.hex()})
            sent = (await session.execute(_SENT, {"subject": subject, "since": now - DAY})).scalars().all()
            wait = wait_for_code(sent, now)
            if wait is None:
                until = now + timedelta(seconds=CODE_SECONDS)
                hashed = self._hash(proves, code)
                row = {"id": made, "subject": subject, "code": hashed, "now": now, "until": until}
                await session.execute(_KEEP, row)
                await session.execute(_FORGET, {"before": now - 2 * DAY})
        if wait is not None:
            raise TooMany("A code was sent already. Wait, then ask for the next.", math.ceil(wait.total_seconds()))
        await self._bring(made, phone, code, language)

    async def _bring(self, made: UUID, phone: str, code: str, language: str) -> None:
        try:
            await self.sender.send(phone, code, language)
        except BaseException:
            async with self.database.transaction() as session:
                await session.execute(_UNSENT, {"id": made})
            raise

    async def check(self, proves: str, code: str) -> bool:
        """Whether the code is the newest one for this, unused and in time; each try counts, and is kept at once."""
        hashed = self._hash(proves, code.strip())
        async with self.database.transaction() as session:
            now = await enter_scope(session, "")
            named = {"subject": self._hash(proves), "code": hashed, "now": now, "tries": TRIES}
            return bool((await session.execute(_TRY, named)).scalar())


class NoSender:
    """For a deployment that has not set up who sends codes: everything else works, and signing in says why not."""

    async def send(self, phone: str, code: str, language: str) -> None:
        """Raises Unavailable."""
        raise Unavailable("Codes cannot be sent here yet: the operator has to set up who sends them.", after=60)


class LocalSender:
    """For a developer's own machine: the code is kept where a page shows it, and goes nowhere."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def send(self, phone: str, code: str, language: str) -> None:
        """Keeps it for an hour."""
        async with self._database.transaction() as session:
            now = await enter_scope(session, "")
            await session.execute(
                text("INSERT INTO local_codes (id, phone, code, sent_at) VALUES (:id, :phone, :code, :now)"),
                {"id": new_id(), "phone": phone, "code": code, "now": now},
            )
            await session.execute(
                text("DELETE FROM local_codes WHERE sent_at < :old"), {"old": now - timedelta(hours=1)}
            )


async def local_codes(session: AsyncSession) -> list[tuple[str, str]]:
    """Phones and codes as they were sent here, the newest first."""
    found = await session.execute(text("SELECT phone, code FROM local_codes ORDER BY sent_at DESC LIMIT 20"))
    return [(row.phone, row.code) for row in found]


def of_phone(phone: str) -> str:
    """What a code for signing in proves."""
    return f"phone:{phone}"


def of_order(request_id: UUID) -> str:
    """What a code for an order proves: that its contact's phone is in hand."""
    return f"order:{request_id}"
