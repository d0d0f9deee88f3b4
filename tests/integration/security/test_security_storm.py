"""A storm of calls whose callers go away at any moment: nothing stays behind, and no village sees another's rows.

LIANHU_STORM sets how many calls (default 2000). The service is a process of its own behind real sockets; a second
storm cancels calls from within, where a disconnect alone would let them run to their end.
"""

import asyncio
import json
import os
import random
import socket
import struct
import time
from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from sqlalchemy import text

from integration.security.served import Served, plain_order
from requests_service.app import create_app
from requests_service.settings import Settings
from support import bearer, eventually, village
from support.people import ISSUER
from support.requests_rig import SERVICES as CATALOGUE

CALLS = int(os.environ.get("LIANHU_STORM", "2000"))
AT_ONCE = 40
LONGEST = 0.5  # seconds until the last callers go away; most go much sooner, as a call takes some milliseconds
POOL = 20
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: the connection ends with RST, as when a phone leaves the network


async def villages(served: Served) -> list[str]:
    """Three villages with a catalogue and ten orders each."""
    made = []
    async with httpx.AsyncClient(base_url=served.url("requests"), trust_env=False, timeout=30) as client:
        for _ in range(3):
            code = village()
            admin = bearer("admin", code)
            units = [{"code": code, "name": "示例村", "settings": {"always_working": True}}]
            services = [{"tenant": code, "code": name, "name": name, **given} for name, given in CATALOGUE.items()]
            for path, items in (("/v1/org-units", units), ("/v1/services", services)):
                assert (await client.put(path, json={"items": items}, headers=admin)).is_success
            for _ in range(10):
                assert (await client.post("/v1/requests", json=plain_order(code))).status_code == 201
            made.append(code)
    return made


def _call(dice: random.Random, code: str) -> bytes:
    """One call as bytes: mostly reads and orders of a village's clerk."""
    kind = dice.random()
    head = bearer("clerk", code)
    if kind < 0.5:
        method, path, body = "GET", f"/v1/requests?tenant={code}&limit=50", b""
    elif kind < 0.6:
        method, path, body = "GET", f"/v1/counts?org={code}", b""
    else:
        head |= {"Idempotency-Key": f"storm-{dice.getrandbits(64)}"} if kind < 0.8 else {}
        method, path, body = "POST", "/v1/requests", json.dumps(plain_order(code)).encode()
        head |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = [f"{method} {path} HTTP/1.1", "Host: requests.test", *(f"{name}: {value}" for name, value in head.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def _drop(port: int, raw: bytes, dice: random.Random) -> str:
    """Sends a call, or a part of it, and goes away; says what came back until then."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    sent = raw if dice.random() < 0.9 else raw[: dice.randrange(1, len(raw))]
    told = "nothing"
    try:
        writer.write(sent)
        async with asyncio.timeout(LONGEST * dice.random() ** 3):
            head = await reader.read(12)
            told = head.decode("latin-1")[9:12] if len(head) == 12 else "closed"
    except TimeoutError:
        pass
    except ConnectionError:
        told = "closed"
    finally:
        opened: socket.socket = writer.get_extra_info("socket")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()
    return told


async def _sessions(url: str) -> Counter[str]:
    """What the API's connections to the database are doing; the asking one is left out."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT coalesce(state, 'none') AS state, count(*) AS n FROM pg_stat_activity WHERE usename = current_user "
            "AND datname = current_database() AND pid <> pg_backend_pid() GROUP BY 1"
        )
        locks = await connection.fetchval(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        )
    finally:
        await connection.close()
    return Counter({row["state"]: row["n"] for row in rows} | {"advisory locks": locks})


async def _whole(url: str) -> Counter[str]:
    found = await _sessions(url)
    assert not found["advisory locks"], found
    assert set(+found) <= {"idle"}, found
    return found


async def _orders(worker_url: str, code: str) -> tuple[int, int]:
    """How many orders a village has, and how many of them were told."""
    connection = await asyncpg.connect(worker_url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT set_config('lianhu.scope', $1, true)", code)
            rows = await connection.fetchval("SELECT count(*) FROM requests WHERE tenant = $1", code)
            told = await connection.fetchval(
                "SELECT count(*) FROM outbox WHERE tenant = $1 AND type = 'lianhu.request.submitted.v1'", code
            )
    finally:
        await connection.close()
    return rows, told


async def test_callers_that_go_away_leave_nothing_behind(served: Served) -> None:
    here, database = await villages(served), served.databases["requests"]
    dice = random.Random(4)
    began = time.monotonic()
    told: Counter[str] = Counter()
    turns = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with turns:
            code = dice.choice(here)
            told[await _drop(served.ports["requests"], _call(dice, code), dice)] += 1

    await asyncio.gather(*(one() for _ in range(CALLS)))
    storm = time.monotonic() - began
    sessions = await eventually(lambda: _whole(database.api), timeout=120)
    quiet = time.monotonic() - began - storm
    assert told["nothing"] + told["closed"] > CALLS / 50, "hardly anybody went away early: the storm was none"
    assert not told["500"], told
    assert sessions["idle"] <= POOL + 2  # the pool with its overflow, the wake-ups
    seen = await _read_by_all(served, here)
    for code in here:
        rows, submitted = await _orders(database.worker, code)
        assert rows == submitted > 10
    print(
        f"{CALLS} calls dropped in {storm:.1f} s ({dict(told)}), all quiet after {quiet:.1f} s: {dict(sessions)}; "
        f"{seen} rows read afterwards, none of another village"
    )


async def _read_by_all(served: Served, here: list[str]) -> int:
    """Many readers at once, more than the pool holds: each sees its own village alone; how many rows they saw."""
    nowhere = village()
    seen = 0
    async with httpx.AsyncClient(base_url=served.url("requests"), trust_env=False, timeout=30) as client:
        for _ in range(3):
            asked = [*here, nowhere] * 15
            answers = await asyncio.gather(
                *(client.get("/v1/requests?limit=200", headers=bearer("clerk", code)) for code in asked)
            )
            for code, answer in zip(asked, answers, strict=True):
                assert answer.status_code == 200, answer.text
                items = answer.json()["items"]
                assert all(item["tenant"] == code for item in items)
                assert bool(items) == (code != nowhere)
                seen += len(items)
    return seen


async def test_calls_cancelled_from_within_leave_nothing_behind(
    served: Served, tmp_path: Path, jwks_file: Path
) -> None:
    here = await villages(served)
    settings = Settings(
        database_url=served.databases["requests"].api,
        auth_issuer=ISSUER,
        auth_jwks=str(jwks_file),
        state_directory=tmp_path,
        signing_keys=served.keys,
    )
    app = create_app(settings)
    dice = random.Random(5)
    ended: Counter[str] = Counter()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://requests.test", timeout=30) as client,
    ):

        async def one(code: str) -> None:
            headers, order = bearer("clerk", code), plain_order(code)
            read = client.get("/v1/requests", headers=headers)
            wrote = client.post("/v1/requests", json=order, headers=headers)
            keep, leave = (read, wrote) if dice.random() < 0.5 else (wrote, read)
            leave.close()
            task = asyncio.create_task(keep)
            await asyncio.wait([task], timeout=LONGEST * dice.random() ** 3)
            ended["cancelled" if task.cancel() else str(task.result().status_code)] += 1
            await asyncio.gather(task, return_exceptions=True)

        for _ in range(CALLS // 3 // AT_ONCE):
            await asyncio.gather(*(one(dice.choice(here)) for _ in range(AT_ONCE)))
        pool: Any = app.state.database.engine.pool
        await eventually(lambda: _all_in(pool), timeout=30)
        await _no_scope_left(app)
        ended["pool"] = pool.checkedin()
        assert ended["cancelled"] > 20
        answers = await asyncio.gather(
            *(client.get("/v1/requests", headers=bearer("clerk", code)) for code in here * 10)
        )
        assert {answer.status_code for answer in answers} == {200}
    print(f"{CALLS // 3 // AT_ONCE * AT_ONCE} calls: {dict(ended)}")


async def _all_in(pool: Any) -> bool:
    assert pool.checkedout() == 0
    return True


async def _no_scope_left(app: Any) -> None:
    """Every connection of the pool at once: no scope, no person, no row."""
    engine = app.state.database.engine
    opened = [await engine.connect() for _ in range(POOL)]
    for connection in opened:
        scope = await connection.execute(text("SELECT current_setting('lianhu.scope', true)"))
        assert scope.scalar_one() in (None, "")
        assert (await connection.execute(text("SELECT count(*) FROM requests"))).scalar_one() == 0
    await asyncio.gather(*(connection.close() for connection in opened))
