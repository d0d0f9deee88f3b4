"""Signing in and staying so: sessions of browsers, and the access tokens that they are renewed with."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.database import enter_scope
from lianhu_kit.identifiers import new_id
from lianhu_kit.tokens import LIFETIME, Grant, sign
from requests_service.domain.signing_in import NobodyYet, device_words, goes_on, session_seconds
from requests_service.tables import WebSession

_RESIDENT = text("SELECT resident_of_phone(:phone, :made, :now)")
_GRANTS = text("SELECT name, locale, roles FROM grants_of_person(:person)")
_FORGET = text("DELETE FROM web_sessions WHERE expires_at < :before")
_SEE = text(
    """
    UPDATE web_sessions SET seen_at = :now WHERE secret = :secret AND ended_at IS NULL AND expires_at > :now
    RETURNING id, person, seconds, expires_at
    """
)
_LONGER = text("UPDATE web_sessions SET expires_at = :until WHERE id = :id")
_END = text("UPDATE web_sessions SET ended_at = :now WHERE secret = :secret AND ended_at IS NULL")
_END_ONE = text("UPDATE web_sessions SET ended_at = :now WHERE id = :id AND person = :person AND ended_at IS NULL")
_END_ALL = text("UPDATE web_sessions SET ended_at = :now WHERE person = :person AND ended_at IS NULL")
KEPT = timedelta(days=30)


@dataclass(frozen=True)
class SignedIn:
    """A sign-in as the browser keeps it: its secret, a token for minutes, and how long the session lasts (seconds)."""

    secret: str
    token: str
    seconds: int
    person: UUID
    name: str
    roles: tuple[Grant, ...]


@dataclass(frozen=True)
class Signer:
    """Signs access tokens with the newest key of the deployment."""

    keys: Path
    issuer: str

    def token(self, person: UUID, roles: tuple[Grant, ...], lifetime: timedelta = LIFETIME) -> str:
        """A token, for a quarter of an hour where nothing else is said."""
        newest = max(self.keys.glob("*.pem"))
        return sign(newest.read_text(), newest.stem, issuer=self.issuer, person=person, roles=roles, lifetime=lifetime)


async def sign_in(session: AsyncSession, signer: Signer, phone: str, agent: str) -> SignedIn:
    """A session for whoever has this phone, which a code has proven.

    Their orders of all villages become theirs. Raises NobodyYet where neither an account nor an order has the phone.
    """
    now = await enter_scope(session, "")
    person = (await session.execute(_RESIDENT, {"phone": phone, "made": new_id(), "now": now})).scalar()
    found = await _grants(session, person) if person else None
    if person is None or found is None:
        raise NobodyYet()
    name, roles = found
    seconds = session_seconds({grant.role for grant in roles})
    secret = secrets.token_urlsafe(32)
    session.add(
        WebSession(
            id=new_id(), secret=_hash(secret), person=person, device=device_words(agent), seconds=seconds,
            begun_at=now, seen_at=now, expires_at=now + timedelta(seconds=seconds),
        )
    )  # fmt: skip
    await session.execute(_FORGET, {"before": now - KEPT})
    return SignedIn(secret, signer.token(person, roles), seconds, person, name, roles)


async def renew(session: AsyncSession, signer: Signer, secret: str) -> SignedIn | None:
    """A new token for a session, with the roles as they are now; None where it ended or the person is not active."""
    now = await enter_scope(session, "")
    seen = (await session.execute(_SEE, {"now": now, "secret": _hash(secret)})).one_or_none()
    if seen is None:
        return None
    found = await _grants(session, seen.person)
    if found is None:
        await session.execute(_END, {"now": now, "secret": _hash(secret)})
        return None
    name, roles = found
    until: datetime = seen.expires_at
    if goes_on({grant.role for grant in roles}):
        until = now + timedelta(seconds=seen.seconds)
        await session.execute(_LONGER, {"id": seen.id, "until": until})
    seconds = int((until - now).total_seconds())
    return SignedIn(secret, signer.token(seen.person, roles), seconds, seen.person, name, roles)


async def end(session: AsyncSession, secret: str) -> None:
    """Ends a session; one that is over stays over."""
    await session.execute(_END, {"now": await enter_scope(session, ""), "secret": _hash(secret)})


async def end_one(session: AsyncSession, person: UUID, session_id: UUID) -> None:
    """Ends one of somebody's own sessions."""
    now = await enter_scope(session, "")
    await session.execute(_END_ONE, {"now": now, "id": session_id, "person": person})


async def end_all(session: AsyncSession, person: UUID) -> None:
    """Signs somebody out everywhere; tokens that are out count for a quarter of an hour more at most."""
    await session.execute(_END_ALL, {"now": await enter_scope(session, ""), "person": person})


async def sessions_of(session: AsyncSession, person: UUID) -> list[WebSession]:
    """The sessions that somebody has open, the newest first."""
    now = await enter_scope(session, "")
    found = await session.exec(
        select(WebSession)
        .where(WebSession.person == person, col(WebSession.ended_at).is_(None), WebSession.expires_at > now)
        .order_by(col(WebSession.begun_at).desc())
        .limit(50)
    )
    return list(found)


async def _grants(session: AsyncSession, person: UUID) -> tuple[str, tuple[Grant, ...]] | None:
    """Name and roles; everybody is a resident too, whose reach is what is their own."""
    row = (await session.execute(_GRANTS, {"person": person})).one_or_none()
    if row is None:
        return None
    held: list[dict[str, Any]] = [*row.roles, {"role": "resident", "at": ""}]
    grants = {(each["role"], each["at"]): Grant(each["role"], each["at"]) for each in held}
    return str(row.name), tuple(grants.values())


def is_secret_of(row: WebSession, secret: str) -> bool:
    """Whether this row is the session of that secret."""
    return secrets.compare_digest(row.secret, _hash(secret))


def _hash(secret: str) -> bytes:
    # The secret has 256 random bits: a plain hash hides it.
    return hashlib.sha256(secret.encode()).digest()
