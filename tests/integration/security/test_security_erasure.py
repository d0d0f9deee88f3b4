"""Erasing a person: looked for in every table of every service, in what goes out to topics, and in every log."""

from collections import Counter
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from integration.security.served import Served
from lianhu_tools.topology import SERVICES
from support.people import bearer

NAME, PHONE, WORDS = "欧阳示例彻", "13900006174", "灶台边的橘色水桶漏了"
TRACES = (NAME, PHONE, WORDS, "示例巷七弄")


async def _traces(served: Served, scope: str) -> Counter[str]:
    """Where any of it stands: `service.table` with the number of rows, by what both roles may read, and logs."""
    found: Counter[str] = Counter()
    for service in SERVICES:
        urls = served.databases[service]
        for role, url in (("api", urls.api), ("worker", urls.worker)):
            connection = await asyncpg.connect(url)
            try:
                await connection.execute("SELECT set_config('lianhu.scope', $1, false)", scope)
                tables = await connection.fetch(
                    "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') "
                    "AND relnamespace = 'public'::regnamespace AND has_table_privilege(oid, 'SELECT')"
                )
                assert len(tables) > 3, (service, role)
                for (table,) in tables:
                    rows = await connection.fetchval(
                        f"SELECT count(*) FROM {table} AS t WHERE t::text ~ $1", "|".join(TRACES)
                    )
                    found[f"{service}.{table}"] = max(found[f"{service}.{table}"], rows)
            finally:
                await connection.close()
        found[f"{service} log"] = sum(served.log(service).count(trace) for trace in TRACES)
    return +found


async def test_who_is_erased_is_nowhere_and_the_counts_stay(served: Served, home: str) -> None:
    person = str(uuid4())
    own, clerk, admin = bearer("resident", "", person), bearer("clerk", home), bearer("admin", home)
    async with httpx.AsyncClient(base_url=served.url("requests"), trust_env=False, timeout=30) as client:

        async def good(method: str, path: str, headers: dict[str, str], body: Any = None) -> Any:
            answer = await client.request(method, path, headers=headers, json=body)
            assert answer.is_success, answer.text
            return answer.json()

        roles = [{"role": "resident", "at": ""}, {"role": "volunteer", "at": home}]
        await good(
            "POST", "/v1/people", admin, {"id": person, "tenant": home, "name": NAME, "phone": PHONE, "roles": roles}
        )
        order = {"tenant": home, "service": "tap", "text": WORDS, "address": "示例巷七弄3号"}
        placed = await good(
            "POST", "/v1/requests", own, {**order, "contact": {"name": NAME, "phone": PHONE, "relation": "self"}}
        )
        path = f"/v1/requests/{placed['id']}"
        await good("POST", f"{path}/ask", clerk, {"missing": ["哪一间"]})
        await good("POST", f"{path}/reply", own, {"text": f"厨房，{WORDS}"})
        before = await good("GET", f"/v1/counts?org={home}", clerk)
        assert {"requests.people", "requests.contacts", "requests.requests", "requests.steps"} <= set(
            await _traces(served, home)
        )

        url = f"/v1/people/{person}/erase"
        refused = await client.post(url, headers=admin)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:lianhu:problem:still-open")
        assert refused.json()["open_orders"] == 1
        assert (await client.post(url, headers=bearer("admin", "900000000001"))).status_code == 404
        assert (await client.post(url, headers=clerk)).status_code == 403
        await good("POST", f"{path}/withdraw", own, {"reason": WORDS})

        assert await good("POST", url, admin) == {"id": person, "orders": 1}
        assert await _traces(served, home) == {}
        after = await good("GET", f"/v1/counts?org={home}", clerk)
        assert sum(after["by_status"].values()) == sum(before["by_status"].values())
        assert (await good("GET", path, clerk))["status"] == "withdrawn"
        assert await good("POST", url, admin) == {"id": person, "orders": 1}

    worker = await asyncpg.connect(served.databases["requests"].worker)
    try:
        last = await worker.fetchval(
            "SELECT payload FROM outbox WHERE aggregateid = $1 ORDER BY sequence DESC LIMIT 1", person
        )
    finally:
        await worker.close()
    assert '"active":false' in last.replace(" ", "")
    assert '"roles":[]' in last.replace(" ", "")
