"""Hot calls read by index: among many villages' rows no call scans a table that grows."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from lianhu_kit.identifiers import new_number
from lianhu_kit.upgrading import migrate
from requests_service.app import create_app
from requests_service.settings import Settings
from support import bearer, eventually
from support.browsing import Person
from support.plans import explained
from support.requests_rig import LIMITS

MIGRATIONS = Path(__file__).parents[3] / "services" / "requests" / "migrations"
MANY = 20_000
GROWING = {"requests", "contacts", "steps", "holders", "grades", "timers", "idempotency_keys", "people", "households"}
COUNTY = "990777"

# A hundred villages with two hundred orders each, as if placed over a year.
SEED = f"""
    CREATE TEMPORARY TABLE given AS
    SELECT gen_random_uuid() AS id, '{COUNTY}' || lpad((n % 100)::text, 6, '0') AS tenant, n,
           now() - n * interval '26 minutes' AS at, gen_random_uuid() AS person
    FROM generate_series(1, {MANY}) AS n;
    INSERT INTO people (id, tenant, name, phone, active, sequence, created_at)
    SELECT person, tenant, '示例', '+86139' || lpad(n::text, 8, '0'), true, 1, at FROM given;
    INSERT INTO households (id, tenant, sequence) SELECT gen_random_uuid(), tenant, 1 FROM given;
    INSERT INTO requests (id, tenant, number, tracking_code, sequence, version, status, service, kind, places, round,
        text, answers, channel, public, urgent, served_kind, guardian, reporter, resident, confirm_seconds,
        confirm_passed, tries, reopened, submitted_at, completed_at)
    SELECT id, tenant, lpad(n::text, 8, '0'), 'ABC234', 1, 1,
           (ARRAY['submitted', 'accepted', 'dispatched', 'completed', 'closed_confirmed'])[1 + n / 100 % 5], 'tap',
           'convenience', 1, 1,
           '示例', '{{}}', 'desk', false, false, 'adult', false, person, person, 7200, false, 0, 0, at,
           CASE WHEN n / 100 % 5 >= 3 THEN at END
    FROM given;
    INSERT INTO contacts (request_id, tenant, name, phone) SELECT id, tenant, '示例', '+8613900000000' FROM given;
    INSERT INTO steps (request_id, tenant, service, step, at, details)
    SELECT id, tenant, 'requests', step, at, '{{}}' FROM given, unnest(ARRAY['submitted', 'accepted']) AS step;
    INSERT INTO holders (request_id, round, person, tenant, state, since)
    SELECT id, 1, person, tenant, 'claimed', at FROM given;
    INSERT INTO grades (request_id, nth, tenant, solved, grade, source, at)
    SELECT id, 1, tenant, 'yes', 5, 'resident', at FROM given;
    INSERT INTO timers (aggregate, kind, tenant, due_at, version, traceparent, causationid)
    SELECT id, 'finish', tenant, at + interval '2 years', 1, '', '' FROM given;
    INSERT INTO idempotency_keys (caller, route, key, tenant, body, status, answer)
    SELECT person::text, 'POST /v1/requests', id::text, tenant, '', 201, '{{}}' FROM given;
    ANALYZE
"""
SCANS = "SELECT relname, seq_scan, coalesce(idx_scan, 0) AS idx_scan FROM pg_stat_user_tables"
CONNECTED = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'requests-api'"
)


async def _calls(client: httpx.AsyncClient, place: str, seen: Any) -> None:
    """What clerks, residents and strangers do all day."""
    clerk, resident = bearer("clerk", place), bearer("resident", "", seen["reporter"])
    order = {"tenant": place, "service": "tap", "text": "示例", "contact": {"name": "示例", "phone": "13900000000"}}
    one = f"/v1/requests/{seen['id']}"
    for method, path, headers, body in (
        ("POST", "/v1/requests", {**clerk, "Idempotency-Key": str(uuid4())}, order),
        ("GET", "/v1/requests", clerk, None),
        ("GET", "/v1/requests?status=submitted", clerk, None),
        ("GET", "/v1/requests", resident, None),
        ("GET", one, clerk, None),
        ("GET", one, resident, None),
        ("GET", f"{one}/timeline", clerk, None),
        ("GET", f"{one}/duplicates", clerk, None),
        ("GET", f"/v1/track/{seen['number']}?tenant={place}&code={seen['tracking_code']}", {}, None),
        ("POST", f"{one}/accept", clerk, {"summary": "厨房水龙头漏水"}),
    ):
        answer = await client.request(method, path, headers=headers, json=body)
        assert answer.is_success, f"{method} {path}: {answer.text}"
    supervisor = Person(client, [("supervisor", place[:6])], uuid4())
    for path in ("/desk/town/samples", f"/desk/{seen['id']}"):
        page = await supervisor.get(path)
        assert page.status == 200, page.text


async def test_no_hot_call_scans_a_table_that_grows(
    requests_settings: tuple[Settings, Settings, Any], postgres: Any
) -> None:
    urls = postgres.create("requests")
    await asyncio.to_thread(migrate, MIGRATIONS, urls.owner)
    database = urls.owner.rsplit("/", 1)[1]
    rows = await asyncpg.connect(postgres.cluster.url("postgres", database))
    app = create_app(requests_settings[0].model_copy(update={"database_url": urls.api}))
    place = COUNTY + "000007"
    try:
        await rows.execute(SEED)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://requests.test") as client,
        ):
            admin = bearer("admin", place)
            for path, item in (
                ("org-units", {"code": place, "name": "示例村"}),
                ("services", {"tenant": place, "code": "tap", "name": "示例", "kind": "convenience", "limits": LIMITS}),
            ):
                answer = await client.put(f"/v1/{path}", headers=admin, json={"items": [item]})
                assert answer.is_success, answer.text
            seen = await rows.fetchrow(
                "UPDATE requests SET number = $2 WHERE id = (SELECT id FROM requests "
                "WHERE tenant = $1 AND status = 'submitted' LIMIT 1) RETURNING *",
                place,
                new_number(),
            )
            await _settled(app, rows)
            before = {row["relname"]: row for row in await rows.fetch(SCANS)}
            with explained(app.state.database.engine) as plans:
                await _calls(client, place, seen)
            await _settled(app, rows)
        after = {row["relname"]: row for row in await rows.fetch(SCANS)}
    finally:
        await rows.close()
    assert plans.faults(GROWING) == []
    lists = [plan for plan in plans.of("ORDER BY requests.tenant DESC") if "holders" not in plan.statement]
    assert any(not plan.sorts() for plan in lists)
    # The counters see what no plan of a call does: functions, and statements past the session.
    scanned = {name for name in GROWING if after[name]["seq_scan"] > before[name]["seq_scan"]}
    assert not scanned, f"scanned from end to end: {', '.join(sorted(scanned))}"
    assert after["requests"]["idx_scan"] > before["requests"]["idx_scan"], "the counters counted nothing"


async def _settled(app: Any, rows: Any) -> None:
    """Ends the API's connections: a server process tells its counts at its end at the latest."""
    await app.state.database.engine.dispose()

    async def gone() -> bool:
        return bool(await rows.fetchval(CONNECTED) == 0)

    await eventually(gone)
