"""Placing an order by hand: the token checked; order, outbox, key and timers written. No look-ups, no rules."""

import hashlib
import os
import secrets
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import uuid4

import asyncpg
import orjson
import uvicorn
from fastapi import FastAPI, Header, Request
from pydantic import BaseModel

from bench.floors.tokens import Person

_ORDER = """
    INSERT INTO requests (id, tenant, number, tracking_code, sequence, version, status, service, kind, places, round,
        text, answers, channel, public, urgent, served_kind, guardian, reporter, contact_due, finish_due,
        confirm_seconds, confirm_passed, tries, reopened, submitted_at)
    VALUES ($1, $2, $3, $4, 1, 1, 'submitted', $5, 'convenience', 1, 0, $6, '{}', 'desk', false, false, 'adult', false,
        $7, $8, $9, 7200, false, 0, 0, $10)
"""
_OUTBOX = """
    INSERT INTO outbox (id, aggregatetype, aggregateid, shard, type, subject, payload, sequence, tenant, time,
        traceparent, causationid)
    VALUES ($1, 'lianhu.requests.v1', $2, $3, 'lianhu.request.submitted.v1', $2, $4, 1, $5, $6, '', '')
"""
_TIMERS = """
    INSERT INTO timers (aggregate, kind, tenant, due_at, version, traceparent, causationid)
    VALUES ($1, 'contact-near', $2, $3, 1, '', ''), ($1, 'finish-near', $2, $4, 1, '', '')
"""
_KEY = """
    INSERT INTO idempotency_keys (caller, route, key, tenant, body, status, answer)
    VALUES ($1, 'POST /v1/requests', $2, $3, $4, 201, $5)
"""


class Contact(BaseModel):
    """Whom to call."""

    name: str
    phone: str


class Order(BaseModel):
    """What is asked for."""

    tenant: str
    service: str
    text: str
    contact: Contact


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["BENCH_DATABASE_URL"], min_size=10, max_size=20) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=_lifespan)


@app.get("/readyz")
async def ready() -> dict[str, str]:
    """Ready."""
    return {"status": "ready"}


@app.post("/v1/requests", status_code=201)
async def place(
    request: Request, order: Order, person: Person, idempotency_key: Annotated[str, Header()]
) -> dict[str, Any]:
    """Places an order."""
    id, now = uuid4(), datetime.now(UTC)
    number, code = f"{secrets.randbelow(10**12):012}", secrets.token_hex(3)
    contact, finish = now + timedelta(hours=1), now + timedelta(days=1)
    answer = {
        "id": str(id), "number": number, "tracking_code": code, "status": "submitted", "tenant": order.tenant,
        "service": order.service, "grid": None, "version": 1, "submitted_at": now.isoformat(),
        "limits": {"contact": contact.isoformat(), "finish": finish.isoformat()},
    }  # fmt: skip
    payload = {**answer, "by": str(person), "kind": "convenience", "channel": "desk", "urgent": False, "minor": False}
    digest = hashlib.sha256(await request.body()).digest()
    pool: asyncpg.Pool[asyncpg.Record] = app.state.pool
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            _ORDER, id, order.tenant, number, code, order.service, order.text, person, contact, finish, now
        )
        key = str(id)
        await connection.execute(
            _OUTBOX, uuid4(), key, zlib.crc32(key.encode()) % 16, orjson.dumps(payload).decode(), order.tenant, now
        )
        await connection.execute(
            _TIMERS, id, order.tenant, contact - timedelta(minutes=10), finish - timedelta(hours=4)
        )
        await connection.execute(
            _KEY, str(person), idempotency_key, order.tenant, digest, orjson.dumps(answer).decode()
        )
    return answer


if __name__ == "__main__":
    uvicorn.run(
        app, host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), access_log=False, log_level="warning", loop="uvloop"
    )
