"""Idempotency keys: the same call twice is one effect and one answer.

The key is an advisory transaction lock and a row that commits with the effect, so a crash in between leaves nothing
stuck (draft-ietf-httpapi-idempotency-key-header).
"""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any

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


@dataclass(frozen=True)
class StoredAnswer:
    """What was answered the first time."""

    status: int
    answer: dict[str, Any]


async def recall(
    session: AsyncSession, key: str | None, *, caller: str, route: str, body: bytes
) -> StoredAnswer | None:
    """The first answer to this key, or None for a first call; enter the scope before.

    Problem 409 while the first call is in progress, 422 where the key came with another body.
    """
    if key is None:
        return None
    if not (await session.execute(_LOCK, {"name": f"{caller}\n{route}\n{key}"})).scalar_one():
        raise Conflict("in-progress", "A call with this idempotency key is in progress. Repeat it in a moment.")
    row = (await session.execute(_READ, {"caller": caller, "route": route, "key": key})).one_or_none()
    if row is None:
        return None
    if row.body != hashlib.sha256(body).digest():
        raise _reused()
    return StoredAnswer(row.status, orjson.loads(row.answer))


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
