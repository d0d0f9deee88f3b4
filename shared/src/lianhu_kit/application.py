"""The skeleton of a service's API: doors, errors, health and metrics, so that its own `app` stays short."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, cast

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lianhu_kit import health, metrics
from lianhu_kit.access import Permission
from lianhu_kit.context import caused_by
from lianhu_kit.database import Database, is_transient
from lianhu_kit.identifiers import new_id
from lianhu_kit.logs import logger
from lianhu_kit.outbox import PayloadTooLarge
from lianhu_kit.problems import FieldError, Invalid, Problem, Unavailable, answer
from lianhu_kit.settings import ServiceSettings
from lianhu_kit.tokens import TokenVerifier

LARGEST_BODY = 64 * 1024
Extra = Callable[[FastAPI], AbstractAsyncContextManager[None]]
_log = logger(__name__)
_PREFIX = re.compile(r"(?:/[a-z0-9-]{1,40}){1,3}")
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cache-control", b"no-store"),
]
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
) -> FastAPI:
    """A service's API. Nothing connects before it is started.

    `problems` turns the domain's errors into answers; `during` are resources that live as long as the application;
    `required_revision` is the migration that readiness waits for; `statement_seconds` bounds every statement, so that
    a silent database is a 503 while the caller still waits.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(app.state.database.close)
            keeping = asyncio.create_task(app.state.verifier.keep_fresh(), name="key set")
            stack.callback(keeping.cancel)
            for extra in during:
                await stack.enter_async_context(extra(app))
            yield

    app = FastAPIOffline(  # its pages come with it, nothing is fetched from outside
        redoc_url=None,
        title=title,
        version="1",
        lifespan=lifespan,
        separate_input_output_schemas=False,
        responses={"default": {"description": "A problem (RFC 9457)", "content": _PROBLEM}},
    )
    app.state.settings = settings
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
    for router in routers:
        _declare_roles(router)
        app.include_router(router)
    app.include_router(health.routes(required_revision))
    _answer_errors(app, problems or {})
    app.add_middleware(Door, service=settings.service)
    return app


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


def _answer_errors(app: FastAPI, problems: Mapping[type[Exception], Callable[[Any], Problem]]) -> None:
    async def known(_request: Request, error: Exception) -> Response:
        return answer(cast(Problem, error))

    async def http(_request: Request, error: Exception) -> Response:
        return answer(_problem_of_status(cast(HTTPException, error)))

    async def invalid(_request: Request, error: Exception) -> Response:
        return answer(problem_of_input(cast(RequestValidationError, error)))

    async def unexpected(request: Request, error: Exception) -> Response:
        for kind, make in problems.items():
            if isinstance(error, kind):
                return answer(make(error))
        if isinstance(error, PayloadTooLarge):
            return answer(Problem(413, "too-large", "The content is too large. Shorten it."))
        if is_transient(error):
            _log.warning("call failed for now", path=request.scope.get("path"), error=type(error).__name__)
            return answer(Unavailable("The database does not answer. Nothing is half done; repeat the call soon."))
        _log.exception("call failed", path=request.scope.get("path"), exc_info=error)
        return answer(Problem(500, "internal", "Something failed on our side. Tell the operator the request id."))

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
        413: ("too-large", f"The body is over {LARGEST_BODY // 1024} KiB. Shorten it."),
    }
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


class Door:
    """Around every call: its id and trace, its content type, its time, and errors that nobody else answered."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        prefix = headers.get(b"x-forwarded-prefix", b"").decode("latin-1")
        if _PREFIX.fullmatch(prefix):
            scope["root_path"] = prefix  # so that /docs behind the gateway finds its own document
        call = str(new_id())
        began = time.perf_counter()
        status = 500
        started = False

        async def sending(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                started, status = True, message["status"]
                present = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", call.encode()),
                    *(header for header in _HEADERS if header[0] not in present),
                ]
            await send(message)

        with caused_by(call, headers.get(b"traceparent", b"").decode("latin-1") or None):
            try:
                refused = _refused(scope, headers)
                if refused is not None:
                    await answer(refused)(scope, receive, sending)
                else:
                    await self._app(scope, _limited(receive), sending)
            except Exception as error:
                if started:
                    raise
                respond = scope["app"].state.unexpected if "app" in scope else None
                if respond is None:
                    raise
                await (await respond(Request(scope), error))(scope, receive, sending)
            finally:
                route = getattr(scope.get("route"), "path", "other")
                metrics.CALLS.labels(self._service, route, scope["method"], str(status)).observe(
                    time.perf_counter() - began
                )


def _limited(receive: Receive) -> Receive:
    """The body as it comes, ended with a 413 where it grows too long."""
    length = 0

    async def counting() -> Message:
        nonlocal length
        message = await receive()
        length += len(message.get("body", b""))
        if length > LARGEST_BODY:
            raise HTTPException(413)
        return message

    return counting


def _refused(scope: Scope, headers: Mapping[bytes, bytes]) -> Problem | None:
    """413 for a body that says it is too long, 415 for one that is not JSON, 422 for NUL in the address."""
    if "\x00" in scope["path"] or b"%00" in scope["query_string"] or b"\x00" in scope["query_string"]:
        return Invalid([FieldError("address", "must not hold the character NUL")])
    if scope["method"] not in ("POST", "PUT", "PATCH", "DELETE"):
        return None
    if headers.get(b"content-length", b"0") == b"0" and b"transfer-encoding" not in headers:
        return None
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > LARGEST_BODY:
        return _problem_of_status(HTTPException(413))
    kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if kind == b"application/json":
        return None
    return Problem(415, "unsupported-media-type", "Send the body as `Content-Type: application/json`.")
