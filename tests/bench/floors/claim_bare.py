"""Claiming by hand: the token checked, the conditional update, the answer. No events, no offers, no loads."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import uvicorn
from fastapi import FastAPI, HTTPException

from bench.floors.tokens import Person

_TAKE = """
    UPDATE assignments SET taken = taken + 1, state = 'claimed'
    WHERE id = $1 AND state = 'offered' AND taken < places RETURNING tenant
"""
_HOLD = """
    INSERT INTO holdings (assignment_id, person, tenant, name, via, claimed_at, evidence)
    VALUES ($1, $2, $3, '', 'offer', now(), '[]')
"""


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


@app.post("/v1/assignments/{assignment_id}/claim")
async def claim(assignment_id: UUID, person: Person) -> dict[str, str]:
    """Takes the place, or is too late."""
    pool: asyncpg.Pool[asyncpg.Record] = app.state.pool
    async with pool.acquire() as connection, connection.transaction():
        tenant = await connection.fetchval(_TAKE, assignment_id)
        if tenant is None:
            raise HTTPException(409, "already-claimed")
        await connection.execute(_HOLD, assignment_id, person, tenant)
    return {"id": str(assignment_id), "state": "claimed"}


if __name__ == "__main__":
    uvicorn.run(
        app, host="127.0.0.1", port=int(os.environ["BENCH_PORT"]), access_log=False, log_level="warning", loop="uvloop"
    )
