"""The skeleton of a service's API: doors, errors, health and metrics, so that its own `app` stays short."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, cast

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

from lianhu_kit import docs_page, health, metrics, parked_calls
from lianhu_kit.access import Permission
from lianhu_kit.again import Again
from lianhu_kit.database import Database, is_transient
from lianhu_kit.door import Door, Upload, too_large
from lianhu_kit.fencing import fenced, is_fenced
from lianhu_kit.leaving import Farewell, Leaving
from lianhu_kit.logs import logger
from lianhu_kit.outbox import PayloadTooLarge
from lianhu_kit.pausing import end_quietly
from lianhu_kit.problems import FieldError, Invalid, Problem, Unavailable, answer
from lianhu_kit.settings import ServiceSettings
from lianhu_kit.tokens import TokenVerifier

Extra = Callable[[FastAPI], AbstractAsyncContextManager[None]]
_log = logger(__name__)
# In the OpenAPI document of every operation, in place of FastAPI's own shape of a 422.
_PROBLEM: dict[str, Any] = {
    "application/problem+json": {
        "schema": {
            "type": "object",
            "required": ["type", "title", "status", "detail", "request_id"],
            "properties": {
                "type": {"type": "string", "format": "uri"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string"},
                "request_id": {"type": "string", "format": "uuid"},
                "errors": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["field", "detail"],
                        "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
                    },
                },
            },
        }
    }
}


def create_application(
    settings: ServiceSettings,
    *,
    title: str,
    routers: Sequence[APIRouter],
    required_revision: str,
    problems: Mapping[type[Exception], Callable[[Any], Problem]] | None = None,
    during: Sequence[Extra] = (),
    statement_seconds: float = 4,
    uploads: Sequence[Upload] = (),
) -> FastAPI:
    """A service's API. Nothing connects before it is started.

    `problems` turns the domain's errors into answers; `during` are resources that live as long as the application;
    `required_revision` is the migration that readiness waits for; `statement_seconds` bounds every statement, so that
    a silent database is a 503 while the caller still waits; `uploads` are the calls whose bodies may be long.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(lambda: end_quietly(app.state.database.close(), 1))
            keeping = asyncio.create_task(app.state.verifier.keep_fresh(), name="key set")
            stack.callback(keeping.cancel)
            for extra in during:
                await stack.enter_async_context(extra(app))
            yield

    app = FastAPIOffline(  # what its page needs comes with it, nothing is fetched from outside
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would name the host that the caller says
        title=title,
        version="1",
        lifespan=lifespan,
        separate_input_output_schemas=False,
        responses={"default": {"description": "A problem (RFC 9457)", "content": _PROBLEM}},
    )
    app.state.settings = settings
    app.state.leaving = Leaving()
    app.state.show_problem = _as_problem_details
    app.state.database = Database(
        settings.database_url,
        application_name=f"{settings.service}-api",
        pool_size=settings.database_pool,
        statement_seconds=statement_seconds,
    )
    app.state.verifier = TokenVerifier(
        settings.auth_jwks,
        issuer=settings.auth_issuer,
        cache=settings.state_directory / "keysets" / f"{settings.service}.json",
    )
    for router in (*routers, parked_calls.router):
        _declare_roles(router)
        app.include_router(router)
    app.include_router(health.routes(required_revision))
    app.include_router(docs_page.routes(title))
    _answer_errors(app, problems or {}, settings.service)
    app.add_middleware(Again, service=settings.service)
    app.add_middleware(Door, service=settings.service, uploads=uploads)
    app.add_middleware(Farewell, leaving=app.state.leaving)
    return app


async def _as_problem_details(_request: Request, _problem: Problem) -> Response | None:
    """What a service with pages replaces: an error as a page, None where it is told as problem details."""
    return None


def permission_of(route: APIRoute) -> Permission | None:
    """The permission that a route asks for; None where it asks for none."""

    def search(dependant: Dependant) -> Permission | None:
        if isinstance(dependant.call, Permission):
            return dependant.call
        return next(filter(None, map(search, dependant.dependencies)), None)

    return search(route.dependant)


def _declare_roles(router: APIRouter) -> None:
    """Writes each route's roles into the OpenAPI document; a route that names none is refused at start.

    An application's own `routes` would not do: FastAPI keeps included routers there as they are.
    """
    for route in router.routes:
        if not isinstance(route, APIRoute) or not route.include_in_schema:
            continue
        permission = permission_of(route)
        if permission is None:
            raise RuntimeError(f"{route.path} names no roles: add permits(…) or public()")
        route.openapi_extra = {
            **(route.openapi_extra or {}),
            "x-roles": list(permission.roles),
            "x-anonymous": permission.anonymous,
        }


def _answer_errors(app: FastAPI, problems: Mapping[type[Exception], Callable[[Any], Problem]], service: str) -> None:
    async def told(request: Request, problem: Problem) -> Response:
        metrics.REFUSED.labels(service, problem.type).inc()
        shown = await app.state.show_problem(request, problem)
        return shown if shown is not None else answer(problem)

    async def known(request: Request, error: Exception) -> Response:
        return await told(request, cast(Problem, error))

    async def http(request: Request, error: Exception) -> Response:
        return await told(request, _problem_of_status(cast(HTTPException, error)))

    async def invalid(request: Request, error: Exception) -> Response:
        return await told(request, problem_of_input(cast(RequestValidationError, error)))

    async def unexpected(request: Request, error: Exception) -> Response:
        for kind, make in problems.items():
            if isinstance(error, kind):
                return await told(request, make(error))
        if isinstance(error, PayloadTooLarge):
            return await told(request, Problem(413, "too-large", "The content is too large. Shorten it."))
        if is_fenced(error):
            return await told(request, fenced())
        if is_transient(error):
            _log.warning("call failed for now", path=request.scope.get("path"), error=type(error).__name__)
            away = Unavailable("The database does not answer. Nothing is half done; repeat the call soon.")
            return await told(request, away)
        _log.exception("call failed", path=request.scope.get("path"), exc_info=error)
        failed = Problem(500, "internal", "Something failed on our side. Tell the operator the request id.")
        return await told(request, failed)

    app.add_exception_handler(Problem, known)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    for kind in problems:
        app.add_exception_handler(kind, unexpected)
    app.state.unexpected = unexpected


def _problem_of_status(error: HTTPException) -> Problem:
    details = {
        400: ("bad-json", "The body is no JSON. Send a JSON object."),
        404: ("not-found", "There is nothing here. Check the address."),
        405: ("method-not-allowed", "This address does not take this method. See /docs."),
        408: ("too-slow", "The body did not arrive in time. Send it again, at once and whole."),
    }
    if error.status_code == 413:
        return too_large(int(error.detail)) if error.detail.isdigit() else too_large()
    slug, detail = details.get(error.status_code, ("error", str(error.detail)))
    return Problem(error.status_code, slug, detail, headers=dict(error.headers or {}))


def problem_of_input(error: RequestValidationError) -> Problem:
    """Which fields are wrong and what would be right; 400 where the body is no JSON. Values are never repeated."""
    faults = error.errors()
    if any(fault["type"] == "json_invalid" for fault in faults):
        return Problem(400, "bad-json", "The body is no JSON. Send a JSON object.")
    errors = []
    for fault in faults:
        place = [str(part) for part in fault["loc"] if part not in ("body", "query", "path", "header")]
        name = ".".join(place)[:120].encode(errors="replace").decode()  # an unknown field may have any name
        errors.append(FieldError(name or "body", str(fault["msg"])))
    return Invalid(errors)
