"""What can be done to a service with bytes: slow and endless heads and bodies, forged headers, lines in logs."""

import asyncio
import json
import time
from collections import Counter

import httpx
import pytest

from integration.security.served import Served, plain_order
from lianhu_kit.door import BODY_SECONDS, HEADERS
from lianhu_kit.impatience import HEAD_SECONDS
from lianhu_tools.topology import SERVICES
from support.people import bearer

SLOW = 60
PATIENCE = 20.0


async def _until_closed(port: int, first: bytes, drip: bytes) -> tuple[bytes, float]:
    """Sends a beginning and then a byte a second until the service hangs up; what it said, and after how long."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.monotonic()
    writer.write(first)

    async def dripping() -> None:
        while True:
            await asyncio.sleep(1)
            writer.write(drip)

    task = asyncio.create_task(dripping())
    try:
        async with asyncio.timeout(max(HEAD_SECONDS, BODY_SECONDS) + PATIENCE):
            said = b""
            try:
                while part := await reader.read(4096):
                    said += part
            except ConnectionError:
                pass
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        writer.transport.abort()
    return said, time.monotonic() - began


async def test_slow_clients_are_let_go_and_hinder_nobody(served: Served, home: str) -> None:
    port = served.ports["requests"]
    post = b"POST /v1/requests HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n"
    kinds = [(b"GET /v1/requests HTTP/1.1\r\nHost: a\r\nX-Slow: ", b"x"), (post, b" "), (b"", b"G")]
    slow = [asyncio.create_task(_until_closed(port, *kinds[n % len(kinds)])) for n in range(SLOW)]
    await asyncio.sleep(1)
    async with httpx.AsyncClient(base_url=served.url("requests"), trust_env=False, timeout=30) as client:
        for _ in range(20):
            answer = await client.get("/v1/requests", headers=bearer("clerk", home))
            assert answer.status_code == 200
    ended = await asyncio.gather(*slow)
    heads = [said for n, (said, _) in enumerate(ended) if n % len(kinds) != 1]
    bodies = [said for n, (said, _) in enumerate(ended) if n % len(kinds) == 1]
    assert all(b" 408 " in said and b"urn:lianhu:problem:too-slow" in said for said in bodies)
    assert not any(b" 200 " in said for said in heads)
    longest = max(seconds for _, seconds in ended)
    print(f"{SLOW} slow clients, the last let go after {longest:.1f} s; 20 calls of others answered meanwhile")


async def test_a_head_without_end_is_cut_off(served: Served) -> None:
    for service in SERVICES:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.ports[service])
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n")
        sent = 0
        try:
            while sent < 4_000_000 and not reader.at_eof():
                writer.write(b"X-Filler: " + b"a" * 1000 + b"\r\n")
                await writer.drain()
                sent += 1000
                await asyncio.sleep(0)
        except ConnectionError:
            pass
        writer.transport.abort()
        assert sent < 4_000_000, service


SMUGGLED = {
    "two lengths": b"POST /v1/requests HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nAAAAAA",
    "length and chunks": (
        b"POST /v1/requests HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"
    ),
    "a bad chunk": b"POST /v1/requests HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n",
    "a length that is none": b"POST /v1/requests HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    "a header in two lines": b"GET /v1/requests HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer\r\n x\r\n\r\n",
    "a bare line feed in a header": b"GET /v1/requests HTTP/1.1\r\nHost: a\r\nX-A: a\nX-B: b\r\n\r\n",
    "no request": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20 + b"\r\n\r\n",
}


@pytest.mark.parametrize("name", SMUGGLED)
async def test_a_call_hidden_in_another_is_not_answered(served: Served, name: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.ports["requests"])
    writer.write(SMUGGLED[name])
    said = b""
    try:
        async with asyncio.timeout(PATIENCE):
            while part := await reader.read(4096):
                said += part
                if said.count(b"HTTP/1.1") > 1 or b"\r\n\r\n" in said:
                    break
    except ConnectionError:
        pass
    finally:
        writer.transport.abort()
    assert said.count(b"HTTP/1.1 ") <= 1
    assert b"HTTP/1.1 4" in said or not said, said[:200]
    assert b"# HELP" not in said


async def test_no_answer_sends_a_caller_elsewhere(served: Served, home: str) -> None:
    paths = ("/v1/requests/", "//elsewhere.example/", "/docs/", "/v1//requests", "/%2f%2felsewhere.example", "/\\else")
    for service in SERVICES:
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            for path in paths:
                url = f"{served.url(service)}{path}"
                answer = await client.get(url, headers={"Host": "elsewhere.example", **bearer("clerk", home)})
                assert answer.status_code == 404, (url, answer.status_code)
                assert "location" not in answer.headers


LINE = 'x\r\n{"event":"forged","level":"critical","request_id":"forged"}\r\nSet-Cookie: forged=1'


async def test_lines_and_headers_cannot_be_forged(served: Served, home: str) -> None:
    """CR and LF in every place that a caller can fill: the address, ids, keys, the trace, the body."""
    raw = LINE.replace("\r", "%0d").replace("\n", "%0a")
    told: Counter[int] = Counter()
    async with httpx.AsyncClient(base_url=served.url("requests"), trust_env=False, timeout=30) as client:
        clerk = bearer("clerk", home)
        answers = [
            await client.get(f"/v1/requests/{raw}", headers=clerk),
            await client.get(f"/v1/track/{raw}?tenant={raw}&code={raw}"),
            await client.get(f"/{raw}"),
            await client.get(f"/v1/requests?after={raw}&service={raw}", headers=clerk),
            await client.post("/v1/requests", json={**plain_order(home), "service": LINE}),
            await client.post("/v1/requests", json={**plain_order(home), LINE: 1}),
            await client.post("/v1/requests", json=plain_order(home), headers={"Content-Type": "text/" + "x" * 2000}),
        ]
        for name in ("Idempotency-Key", "traceparent", "X-Request-Id", "X-Forwarded-Prefix", "X-Forwarded-For"):
            # The client library refuses CR and LF in a header; what is left are the characters that look like them.
            value = LINE.replace("\r\n", "\x85\u00a0").encode("latin-1", "replace")
            headers = [(name.lower().encode(), value), *((k.encode(), v.encode()) for k, v in clerk.items())]
            answers.append(await client.post("/v1/requests", json=plain_order(home), headers=headers))
    for answer in answers:
        told[answer.status_code] += 1
        assert "set-cookie" not in answer.headers
        assert "forged" not in str(answer.headers), answer.url
        assert answer.status_code < 500, answer.text
    for line in served.log("requests").splitlines():
        entry = json.loads(line)  # every line is one whole entry
        assert entry.get("request_id") != "forged"
        assert entry.get("event") != "forged"
    print(f"{len(answers)} tries to forge a line: {dict(told)}")


@pytest.mark.parametrize("service", SERVICES)
async def test_every_answer_carries_the_headers_that_protect(served: Served, home: str, service: str) -> None:
    async with httpx.AsyncClient(base_url=served.url(service), trust_env=False, timeout=30) as client:
        answers = [
            await client.get("/openapi.json"),
            await client.get("/healthz"),
            await client.get("/nothing-here"),
            await client.get("/v1/requests" if service == "requests" else "/v1/nothing"),
            await client.post("/v1/requests", content=b"x", headers={"content-encoding": "gzip"}),
            await client.put("/healthz"),
        ]
        for answer in answers:
            for name, value in HEADERS:
                assert answer.headers[name.decode()] == value.decode(), (answer.url, name)
            assert "server" not in answer.headers
            assert "x-powered-by" not in answer.headers
            assert "access-control-allow-origin" not in answer.headers
            assert "strict-transport-security" not in answer.headers
        # The proxy in front says that the caller came with TLS.
        secure = await client.get("/healthz", headers={"X-Forwarded-Proto": "https"})
        assert secure.headers["strict-transport-security"].startswith("max-age=63072000")
        page = await client.get("/docs")
        policy = page.headers["content-security-policy"]
        script = next(part for part in policy.split("; ") if part.startswith("script-src"))
        assert "unsafe" not in script
        assert script.count("sha256-") == page.text.count("<script>") == 1
        assert page.text.count("<style") == 0
