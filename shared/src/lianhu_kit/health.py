"""Alive, ready, metrics: what a supervisor and a watcher ask of every process."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from lianhu_kit.database import Database

_REVISION = text("SELECT max(version_num) FROM alembic_version")
Check = Callable[[], Awaitable[dict[str, Any]]]


async def revision(database: Database) -> str | None:
    """The migration that a database is at; raises where it cannot be asked."""
    async with database.transaction() as session:
        found: str | None = (await session.execute(_REVISION)).scalar_one_or_none()
        return found


async def database_state(database: Database, required: str) -> tuple[bool, dict[str, Any]]:
    """Whether the database answers and has at least the revision that is needed, and the fields that say so."""
    try:
        found = await revision(database)
    except Exception as error:
        return False, {"database": f"away: {type(error).__name__}"}
    if found is None or found < required:
        return False, {"database": f"at revision {found}, needs {required}: run the migrations"}
    return True, {"database": "reached", "revision": found}


def leaving_response() -> Response:
    """What a process that was told to end says of its readiness."""
    return JSONResponse({"status": "leaving"}, 503)


def metrics_response() -> Response:
    """All metrics of this process in Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def routes(required_revision: str) -> APIRouter:
    """`/healthz`, `/readyz` and `/metrics` of an API."""
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Alive; touches nothing."""
        return {"status": "alive"}

    @router.get("/readyz")
    async def readyz(request: Request) -> Response:
        """Ready: database reached at the revision that is needed. The broker is no reason: commands work without it.

        A process that was told to end is not ready, though it answers for a while yet.
        """
        if request.app.state.leaving.begun:
            return leaving_response()
        ready, fields = await database_state(request.app.state.database, required_revision)
        fields["broker"] = "not needed to answer"
        return JSONResponse({"status": "ready" if ready else "not ready", **fields}, 200 if ready else 503)

    @router.get("/metrics")
    async def metrics() -> Response:
        """Prometheus metrics of this process."""
        return metrics_response()

    return router
