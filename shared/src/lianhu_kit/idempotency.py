"""Idempotency keys: the same call twice is one effect and one answer.

The key is an advisory transaction lock and a row that commits with the effect, so a crash in between leaves nothing
stuck (draft-ietf-httpapi-idempotency-key-header).
"""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any

import asyncpg
import orjson
from fastapi import Header
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit.problems import Conflict, Problem

IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$"),
]
_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 42))")
_READ = text(
    "SELECT body, status, answer FROM idempotency_keys WHERE caller = :caller AND route = :route AND key = :key"
)
_KEEP = text(
    """
    INSERT INTO idempotency_keys (caller, route, key, tenant, body, status, answer)
    VALUES (:caller, :route, :key, :tenant, :body, :status, :answer)
    """
)

# For a hot path, whose first statement asks for the lock and whose look-up brings what is kept; `$1` to `$3` are
# `Keyed.place`. Asked in a statement of its own: a look-up that began before could miss what was kept meanwhile.
RECALLED = """
    current_setting('lianhu.keyed', true) AS keyed,
    (SELECT ROW(body, status, answer) FROM idempotency_keys WHERE caller = $1 AND route = $2 AND key = $3) AS kept
"""


@dataclass(frozen=True)
class StoredAnswer:
    """What was answered the first time."""

    status: int
    answer: dict[str, Any]


@dataclass(frozen=True)
class Keyed:
    """A call of a hot path with its idempotency key; without one it is always a first call."""

    caller: str
    route: str
    key: str | None
    body: bytes

    @property
    def place(self) -> tuple[str, str, str | None]:
        """What its row is found by."""
        return self.caller, self.route, self.key

    @property
    def lock(self) -> str:
        """The statement that tries to lock the key, the same as `recall` takes; nothing without a key."""
        if self.key is None:
            return ""
        name = _name(self.caller, self.route, self.key).encode().hex()
        tried = f"pg_try_advisory_xact_lock(hashtextextended(convert_from('\\x{name}', 'UTF8'), 42))"
        return f"SELECT set_config('lianhu.keyed', {tried}::text, true)"

    def refused(self, error: BaseException) -> Problem | None:
        """The refusal that an error stands for: the key is kept where this transaction cannot see; None for others."""
        kept = isinstance(error, asyncpg.UniqueViolationError) and error.constraint_name == "idempotency_keys_pkey"
        return _reused() if kept else None

    @property
    def digest(self) -> bytes:
        """What says whether a body is the same."""
        return hashlib.sha256(self.body).digest()

    def recalled(self, row: asyncpg.Record) -> StoredAnswer | None:
        """The first answer, from a row with the columns of RECALLED; Problem 409 and 422 as `recall`."""
        if self.key is None:
            return None
        if row["keyed"] != "true":
            raise _in_progress()
        if row["kept"] is None:
            return None
        body, status, answer = row["kept"]
        if body != self.digest:
            raise _reused()
        return StoredAnswer(status, orjson.loads(answer))


async def recall(
    session: AsyncSession, key: str | None, *, caller: str, route: str, body: bytes
) -> StoredAnswer | None:
    """The first answer to this key, or None for a first call; enter the scope before.

    Problem 409 while the first call is in progress, 422 where the key came with another body.
    """
    if key is None:
        return None
    if not (await session.execute(_LOCK, {"name": _name(caller, route, key)})).scalar_one():
        raise _in_progress()
    row = (await session.execute(_READ, {"caller": caller, "route": route, "key": key})).one_or_none()
    if row is None:
        return None
    if row.body != hashlib.sha256(body).digest():
        raise _reused()
    return StoredAnswer(row.status, orjson.loads(row.answer))


def _name(caller: str, route: str, key: str) -> str:
    return f"{caller}\n{route}\n{key}"


def _in_progress() -> Problem:
    return Conflict("in-progress", "A call with this idempotency key is in progress. Repeat it in a moment.")


def _reused() -> Problem:
    detail = "This idempotency key came with another body before. Take a new key for a new call."
    return Problem(422, "key-reused", detail)


async def remember(
    session: AsyncSession,
    key: str | None,
    *,
    caller: str,
    route: str,
    body: bytes,
    tenant: str,
    status: int,
    answer: dict[str, Any],
) -> None:
    """Keeps the answer, in the transaction of the effect. Nothing happens without a key.

    Problem 422, which undoes the effect, where the key was used in a village that this transaction cannot see.
    """
    if key is None:
        return
    values = {
        "caller": caller,
        "route": route,
        "key": key,
        "tenant": tenant,
        "body": hashlib.sha256(body).digest(),
        "status": status,
        "answer": orjson.dumps(answer).decode(),
    }
    try:
        await session.execute(_KEEP, values)
    except IntegrityError:
        raise _reused() from None
