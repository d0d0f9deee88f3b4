"""The door of an API: its calls' ids, what it refuses unread, how long a body may take, the headers of every answer."""

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import Request, Response
from opentelemetry.trace import SpanKind
from prometheus_client import Histogram
from starlette.exceptions import HTTPException
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lianhu_kit import metrics, tracing
from lianhu_kit.context import caused_by
from lianhu_kit.identifiers import new_id
from lianhu_kit.logs import logger
from lianhu_kit.problems import FieldError, Invalid, Problem, answer

LARGEST_BODY = 64 * 1024
BODY_SECONDS = 10.0
# Programs send JSON; a browser without JavaScript sends forms, to pages alone.
_PROGRAMS = {"v1", "auth", "internal", "open311"}
_FORMS = {b"application/x-www-form-urlencoded", b"multipart/form-data"}
_ASKED_BY_WATCHERS = {"/healthz", "/readyz", "/metrics"}
_log = logger(__name__)
_PREFIX = re.compile(r"(?:/[a-z0-9-]{1,40}){1,3}")
# OWASP Secure Headers Project; a page that needs more sets its own policy.
HEADERS = [
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"x-permitted-cross-domain-policies", b"none"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-embedder-policy", b"require-corp"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]
# Only where the call came with TLS (the proxy says so): over plain HTTP browsers pass over it, RFC 6797, 7.2.
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")


@dataclass(frozen=True)
class Upload:
    """A call that takes a file: its path as routes write it, how long its body may be, how many seconds it may take,
    and the content types that it takes in place of JSON.
    """

    path: str
    largest: int
    seconds: float
    kinds: frozenset[bytes]


class Door:
    """Around every call: its id and trace, its content type, its time, and errors that nobody else answered."""

    def __init__(
        self, app: ASGIApp, service: str, body_seconds: float = BODY_SECONDS, uploads: Sequence[Upload] = ()
    ) -> None:
        self._app = app
        self._service = service
        self._plain = Upload("", LARGEST_BODY, body_seconds, frozenset())
        self._uploads = [(compile_path(upload.path)[0], upload) for upload in uploads]
        self._seconds: dict[tuple[str, str, int], Histogram] = {}  # labels() itself is dear, and these are few

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
        added = [*HEADERS, STRICT_TRANSPORT] if scope.get("scheme") == "https" else HEADERS

        async def sending(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                started, status = True, message["status"]
                present = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", call.encode()),
                    *(header for header in added if header[0] not in present),
                ]
            await send(message)

        given = headers.get(b"traceparent", b"").decode("latin-1") or None
        with caused_by(call, given, scope["method"], SpanKind.SERVER):
            try:
                upload = self._upload(scope)
                refused = _refused(scope, headers, upload)
                if refused is not None:
                    await (await _told(scope, refused))(scope, receive, sending)
                else:
                    await self._app(scope, _limited(receive, upload), sending)
            except Exception as error:
                if started:
                    raise
                respond = scope["app"].state.unexpected if "app" in scope else None
                if respond is None:
                    raise
                await (await respond(Request(scope), error))(scope, receive, sending)
            finally:
                route = getattr(scope.get("route"), "path", "other")
                seconds = time.perf_counter() - began
                self._timed(route, scope["method"], status).observe(seconds)
                tracing.answered(scope["method"], route, status)
                if route not in _ASKED_BY_WATCHERS:
                    _log.info("call", method=scope["method"], route=route, status=status, ms=round(seconds * 1000))

    def _upload(self, scope: Scope) -> Upload:
        """What a call may send: a file where its path is one that takes files, else a body like all others."""
        if scope["method"] == "POST":
            for pattern, upload in self._uploads:
                if pattern.match(scope["path"]):
                    return upload
        return self._plain

    def _timed(self, route: str, method: str, status: int) -> Histogram:
        known = self._seconds.get((route, method, status))
        if known is None:
            known = metrics.CALLS.labels(self._service, route, method, str(status))
            self._seconds[route, method, status] = known
        return known


async def _told(scope: Scope, refused: Problem) -> Response:
    """What is refused unread, told as the service tells its other problems: as a page where a browser asks."""
    shown: Response | None = await scope["app"].state.show_problem(Request(scope), refused) if "app" in scope else None
    return shown if shown is not None else answer(refused)


def _limited(receive: Receive, upload: Upload) -> Receive:
    """The body as it comes, ended with a 413 where it grows too long and with a 408 where it does not end in time.

    A call waits here before its transaction begins: who sends slowly holds a socket, and no connection to the database.
    """
    length = 0
    whole = False
    deadline = 0.0

    async def counting() -> Message:
        nonlocal length, whole, deadline
        if whole:
            return await receive()
        now = asyncio.get_running_loop().time()
        deadline = deadline or now + upload.seconds
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, headers={"Connection": "close"}) from None
        whole = not message.get("more_body", False)
        length += len(message.get("body", b""))
        if length > upload.largest:
            raise HTTPException(413, str(upload.largest))
        return message

    return counting


def too_large(largest: int = LARGEST_BODY) -> Problem:
    """The answer to a body that is too long."""
    if largest > LARGEST_BODY:
        return Problem(413, "too-large", f"The file is over {largest >> 20} MB. Send a smaller one.")
    return Problem(413, "too-large", f"The body is over {largest // 1024} KiB. Shorten it.")


def _refused(scope: Scope, headers: Mapping[bytes, bytes], upload: Upload) -> Problem | None:
    """413 for a body that says it is too long, 415 for one packed or not JSON, 422 for NUL in the address."""
    if "\x00" in scope["path"] or b"%00" in scope["query_string"] or b"\x00" in scope["query_string"]:
        return Invalid([FieldError("address", "must not hold the character NUL")])
    if headers.get(b"content-encoding", b"identity").strip().lower() not in (b"", b"identity"):
        # Nothing here unpacks a body, and nothing in front should: a few bytes could become many (RFC 9110, 15.5.16).
        return Problem(
            415, "packed-body", "Send the body as it is, without Content-Encoding.", headers={"Accept-Encoding": ""}
        )
    if scope["method"] not in ("POST", "PUT", "PATCH", "DELETE"):
        return None
    if headers.get(b"content-length", b"0") == b"0" and b"transfer-encoding" not in headers:
        return None
    length = headers.get(b"content-length", b"0")
    if length.isdigit() and int(length) > upload.largest:
        return too_large(upload.largest)
    kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    taken = upload.kinds or {b"application/json"}
    if kind in taken or (kind in _FORMS and scope["path"].split("/")[1] not in _PROGRAMS):
        return None
    kinds = ", ".join(sorted(each.decode() for each in taken))
    return Problem(415, "unsupported-media-type", f"Send the body as `Content-Type: {kinds}`.")
