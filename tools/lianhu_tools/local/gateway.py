"""The development gateway: one address for pages and APIs, a stand-in for Caddy or the cluster's ingress.

It only routes. `/api/<service>/…` goes to that service without the prefix, a page keeps its path, `/metrics` and
`/internal` are not passed on. Request bodies and server-sent events stream, other answers are passed on whole.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import unquote

import httpx
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from lianhu_tools.topology import HOST, SERVICES, current

PAGES = {
    "requests": ("order", "track", "door", "desk", "sign-in", "docs", "openapi.json"),
    "dispatch": ("tasks", "board"),
    "notifications": ("inbox", "calls", "preferences"),
    "reporting": ("reports",),
}
_CLOSED = {"metrics", "internal"}
# RFC 9110, 7.6.1: these belong to one connection and are not passed on.
_HOP_BY_HOP = {
    b"connection",
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
}
_TURNS = 16
_STREAMS = 500
_CONNECT_SECONDS = 3.0
_ANSWER_SECONDS = 60.0
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def route(path: str) -> tuple[str, str] | None:
    """The service that a path belongs to and the path it knows; None when nobody answers for it.

    A path keeps its escapes. Dot segments, empty parts and a closed part in any spelling are refused, not cleaned up.
    """
    plain = [unquote(part) for part in path.split("/")[1:]]
    if any(part in {".", ".."} or "/" in part or "\\" in part for part in plain) or "" in plain[:-1]:
        return None
    if plain[0] == "api":
        if len(plain) < 2 or plain[1] not in SERVICES or (len(plain) > 2 and plain[2] in _CLOSED):
            return None
        return plain[1], "/" + "/".join(path.split("/")[3:])
    if plain == [""]:
        return "requests", "/"
    for service, pages in PAGES.items():
        if plain[0] in pages:
            return service, path
    return None


_AWAY = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>联户 Lianhu</title><h1>这一页暂时打不开</h1><p>系统的这一部分正在恢复，其他页面照常使用。请过几秒再刷新。</p>
<div lang="en"><h1>This page is away for a moment</h1><p>This part of the system is coming back; the other pages go on.
Reload in a few seconds.</p></div><p><a href="/">联户 Lianhu</a></p></html>
"""


def away(request: Request, status: int, slug: str, title: str, detail: str) -> Response:
    """A service does not answer: a page for whoever looks at pages, problem details for programs."""
    if "text/html" in request.headers.get("accept", "") and not request.scope["path"].startswith("/api/"):
        headers = {"Retry-After": "2", "Content-Security-Policy": "default-src 'none'"}
        return Response(_AWAY, status, headers, media_type="text/html")
    return problem(status, slug, title, detail)


def problem(status: int, slug: str, title: str, detail: str) -> Response:
    """An error in the shape that the services use (RFC 9457)."""
    body = {"type": f"urn:lianhu:problem:{slug}", "title": title, "status": status, "detail": detail}
    headers = {"Retry-After": "2"} if status in (502, 504) else {}
    return Response(orjson.dumps(body), status, headers, media_type="application/problem+json")


class Gateway:
    """Passes requests on to the services at the given addresses."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._addresses = {service: httpx.URL(address) for service, address in addresses.items()}
        # Looking for a free connection walks over all of the pool and all who wait: few a service, and turns before it.
        self._turns = {service: asyncio.Semaphore(_TURNS) for service in addresses}
        self._clients = {service: _client() for service in addresses}

    async def close(self) -> None:
        """Ends all connections to the services."""
        for client in self._clients.values():
            await client.aclose()

    async def __call__(self, request: Request) -> Response:
        """Answers one request with what its service says; 404 without a service, 502 or 504 when it is away."""
        target = route(request.scope["raw_path"].decode("ascii", "replace"))
        if target is None:
            return problem(404, "not-found", "Not found", "Nothing answers at this address.")
        service, path = target
        try:
            return await self._answer(request, service, path)
        except (httpx.ReadTimeout, httpx.WriteTimeout):
            return away(request, 504, "service-slow", "No answer in time", f"{service} did not answer in time.")
        except ClientDisconnect:
            return Response(status_code=499)
        except httpx.TransportError:
            detail = f"{service} is away at the moment; try again in a few seconds."
            return away(request, 502, "service-away", "Service away", detail)

    async def _answer(self, request: Request, service: str, path: str) -> Response:
        """A whole answer, so that its turn is free again at once; a stream of events goes on without a turn."""
        client = self._clients[service]
        async with self._turns[service]:
            answer = await client.send(self._outgoing(client, request, service, path), stream=True)
            response: Response
            if answer.headers.get("content-type", "").startswith("text/event-stream"):
                response = StreamingResponse(_body(answer), answer.status_code)
            else:
                try:
                    response = Response(b"".join([part async for part in answer.aiter_raw()]), answer.status_code)
                finally:
                    await answer.aclose()
        response.raw_headers = _headers(answer)
        return response

    def _outgoing(self, client: httpx.AsyncClient, request: Request, service: str, path: str) -> httpx.Request:
        query = request.scope["query_string"]
        raw = path.encode() + (b"?" + query if query else b"")
        streams = "text/event-stream" in request.headers.get("accept", "")
        timeout = httpx.Timeout(None if streams else _ANSWER_SECONDS, connect=_CONNECT_SECONDS, pool=_ANSWER_SECONDS)
        has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
        return client.build_request(
            request.method,
            self._addresses[service].copy_with(raw_path=raw),
            headers=_forwarded(request, f"/api/{service}" if request.scope["path"].startswith("/api/") else ""),
            content=request.stream() if has_body else None,
            timeout=timeout,
        )


def _client() -> httpx.AsyncClient:
    # Idle connections are dropped before the services drop them (30 s), so that no request meets a closing one.
    limits = httpx.Limits(max_connections=_STREAMS, max_keepalive_connections=_TURNS, keepalive_expiry=15)
    client = httpx.AsyncClient(trust_env=False, follow_redirects=False, limits=limits)
    # A client of its own would keep what a service gives to one caller, and send it along for the next.
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return client


def _headers(answer: httpx.Response) -> list[tuple[bytes, bytes]]:
    headers = [(name.lower(), value) for name, value in answer.headers.raw]
    return [(name, value) for name, value in headers if name not in _HOP_BY_HOP]


def _forwarded(request: Request, prefix: str) -> list[tuple[bytes, bytes]]:
    own = {b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-prefix"}
    kept = [(name, value) for name, value in request.headers.raw if name not in _HOP_BY_HOP | own]
    client = request.client.host if request.client else HOST
    return [
        *kept,
        (b"x-forwarded-for", client.encode()),
        (b"x-forwarded-proto", request.url.scheme.encode()),
        (b"x-forwarded-host", request.headers.get("host", "").encode()),
        *([(b"x-forwarded-prefix", prefix.encode())] if prefix else []),
    ]


async def _body(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for part in answer.aiter_raw():
            yield part
    finally:
        await answer.aclose()


async def healthz(_request: Request) -> Response:
    """The gateway is alive; says nothing of the services."""
    return Response(b'{"status":"alive"}', media_type="application/json")


def create_app(addresses: Mapping[str, str]) -> Starlette:
    """The gateway as an ASGI application over these services."""
    gateway = Gateway(addresses)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await gateway.close()

    async def pass_on(request: Request) -> Response:
        return await gateway(request)

    routes = [
        Route("/healthz", healthz, methods=["GET"]),
        Route("/readyz", healthz, methods=["GET"]),
        Route("/{path:path}", pass_on, methods=_METHODS),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def main() -> None:
    """Serves the gateway of this clone's local system."""
    topology = current()
    app = create_app({service: topology.api_url(service) for service in SERVICES})
    uvicorn.run(
        app,
        host=HOST,
        port=topology.gateway_port,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=3,
        # Longer than clients keep theirs (most 5 s), so that no call meets a connection that is just being closed.
        timeout_keep_alive=30,
        proxy_headers=False,
    )


if __name__ == "__main__":
    main()
