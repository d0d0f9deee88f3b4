"""Many requests at once: what ten thousand to a million of them leave behind in each service, made by the server.

The spread: one request in ten lies in one big village, which places thirty a day, so that a million reach nine years
back there; all others lie in villages of a thousand a year each, so that a million fill nine hundred of them. What is
younger than five days is still open, and what is younger than two days is offered. An assignment is offered to three of
the village's people: of twenty, in the big village of sixty.
"""

import hashlib
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg

from reporting_service.domain.rules import RULES

COUNTY = "990777"
BIG, ORDINARY = f"{COUNTY}999999", f"{COUNTY}000003"
Connection: TypeAlias = "asyncpg.Connection[Any]"

# `n` counts from the oldest to the newest, `nth` within a village; ids carry their time, as those of the services do.
_GIVEN = f"""
    CREATE TEMPORARY TABLE given AS
    SELECT uuidv7(at - clock_timestamp()) AS id, md5('assignment' || n)::uuid AS other, n, at, tenant,
           tenant || lpad((nth % 8 + 1)::text, 3, '0') AS grid,
           (ARRAY['tap', 'lamp', 'errand', 'visit', 'road'])[1 + nth % 5] AS service,
           CASE WHEN at > now() - interval '2 days' THEN 0 WHEN at > now() - interval '5 days' THEN 1 ELSE 2 END AS age,
           nth * 3 AS first, CASE WHEN tenant = '{BIG}' THEN 60 ELSE 20 END AS people
    FROM (
        SELECT n, n / 10 AS nth, '{BIG}' AS tenant, now() - ($1 - n) / 10 * interval '48 minutes' AS at
        FROM generate_series(10, $1, 10) AS n
        UNION ALL
        SELECT n, other / $2, '{COUNTY}' || lpad((other % $2 + 3)::text, 6, '0'),
               now() - ($1 - n) * interval '365 days' / $1
        FROM (SELECT n, n - n / 10 AS other FROM generate_series(1, $1) AS n WHERE n % 10 > 0) AS numbered) AS placed
"""
_REQUESTS = """
    INSERT INTO org_units (code, level, name, settings, sequence)
    SELECT DISTINCT tenant, 'village', '示例村', '{}'::jsonb, 1 FROM given;
    INSERT INTO people (id, tenant, name, phone, active, sequence, created_at)
    SELECT md5('resident' || n)::uuid, tenant, '示例', '+8613' || lpad(n::text, 9, '0'), true, 1, at FROM given
    WHERE n % 4 = 0;
    INSERT INTO requests (id, tenant, number, tracking_code, sequence, version, status, service, kind, places, round,
        grid, text, answers, summary, channel, public, urgent, served_kind, guardian, reporter, resident, contact_due,
        finish_due, confirm_seconds, confirm_passed, tries, reopened, submitted_at)
    SELECT id, tenant, lpad(n::text, 9, '0'), 'ABC234', 6, 6,
           (ARRAY['submitted', 'in_progress', 'closed_confirmed'])[1 + age], service, 'convenience', 1, 1, grid,
           '厨房的水龙头一直滴水,想请人上门看看。', '{}', '厨房水龙头漏水', 'desk', false, false, 'adult', false,
           md5('resident' || n / 4 * 4)::uuid, md5('resident' || n / 4 * 4)::uuid, at + interval '1 hour',
           at + interval '1 day', 7200, false, 0, 0, at
    FROM given;
    INSERT INTO contacts (request_id, tenant, name, phone) SELECT id, tenant, '示例', '+8613900000000' FROM given;
    INSERT INTO steps (request_id, tenant, service, step, at, details)
    SELECT id, tenant, 'requests', step, at, '{}'
    FROM given, unnest(ARRAY['submitted', 'accepted', 'completed']) AS step;
    INSERT INTO holders (request_id, round, person, tenant, state, since)
    SELECT id, 1, md5(tenant || first % people)::uuid, tenant, 'completed', at FROM given WHERE age > 0;
    INSERT INTO timers (aggregate, kind, tenant, due_at, version, traceparent, causationid)
    SELECT id, 'finish', tenant, now() + interval '1 year', 1, '', '' FROM given WHERE age < 2;
    INSERT INTO idempotency_keys (caller, route, key, tenant, body, status, answer)
    SELECT n::text, 'POST /v1/requests', id::text, tenant, '', 201, '{}' FROM given WHERE age < 2
"""
_DISPATCH = """
    INSERT INTO volunteers (id, tenant, name, roles, staff, skills, capacity, load, linking_households, active)
    SELECT md5(tenant || who)::uuid, tenant, '甲*', '[]', false, '[]', 1000000, 0, '[]', true
    FROM (SELECT DISTINCT tenant, people FROM given) AS village, generate_series(0, people - 1) AS who;
    INSERT INTO requests (id, tenant, number, service, kind, summary, round, sequence, opened_at)
    SELECT id, tenant, lpad(n::text, 9, '0'), service, 'convenience', '厨房水龙头漏水', 1, 5, at FROM given;
    INSERT INTO assignments (id, request_id, tenant, round, grid, service, summary, route, urgent, minor, places, taken,
        state, wave, limits, excluded, opened_at)
    SELECT other, id, tenant, 1, grid, service, '厨房水龙头漏水', 'volunteers', false, false, 1, least(age, 1),
           (ARRAY['offered', 'in_progress', 'completed'])[1 + age], 1, '{"contact": null, "finish": null}', '[]', at
    FROM given;
    INSERT INTO offers (assignment_id, person, tenant, wave, why, offered_at)
    SELECT other, md5(tenant || (first + which) % people)::uuid, tenant, 1, '{"code": "village"}', at
    FROM given, generate_series(0, 2) AS which;
    INSERT INTO holdings (assignment_id, person, tenant, name, via, claimed_at, completed_at, evidence)
    SELECT other, md5(tenant || first % people)::uuid, tenant, '甲*', 'offer', at,
           CASE WHEN age = 2 THEN at + interval '1 day' END, '[]'
    FROM given WHERE age > 0;
    INSERT INTO moves (assignment_id, tenant, move, at) SELECT other, tenant, 'claim', at FROM given WHERE age > 0
"""
# The villages that are asked have all their figures, twelve to a request; of the others two stand for them. Days lie in
# the order in which they came.
_REPORTING = f"""
    INSERT INTO org_units (generation, code, name) SELECT DISTINCT 1, tenant, '示例村' FROM given;
    INSERT INTO facts (generation, request_id, tenant, grid, service, number, status, submitted_at, submitted_on,
        served_id, served_on, resident, reporter, holders, helpers, assignment, assignment_at, overdue_from, counted_at,
        halves)
    SELECT 1, id, tenant, grid, service, lpad(n::text, 9, '0'),
           (ARRAY['submitted', 'in_progress', 'closed_confirmed'])[1 + age], at, at::date,
           md5('served' || n % 50000)::uuid, CASE WHEN age = 2 THEN at::date END, md5('resident' || n / 4)::uuid,
           md5('resident' || n / 4)::uuid, '{{}}', '{{}}', 'completed', at,
           CASE WHEN age = 1 THEN at + interval '1 day' END, at, '{{}}'
    FROM given;
    INSERT INTO tallies (generation, basis, tenant, day, service, grid, measure, value)
    SELECT 1, basis, tenant, at::date, service, grid, measure, count(*)
    FROM given, unnest(ARRAY['submitted', 'happened']) AS basis,
        unnest(CASE WHEN tenant IN ('{BIG}', '{ORDINARY}') THEN ARRAY['submitted', 'matters', 'now.closed_confirmed',
            'ever.accepted', 'ever.dispatched', 'ever.claimed', 'ever.completed', 'limits.contact_due',
            'limits.contact_met', 'limits.finish_due', 'solved.yes', 'first_grades.5']
            ELSE ARRAY['submitted'] END) AS measure
    GROUP BY 2, 3, 4, 5, 6, 7 ORDER BY 4;
    INSERT INTO span_tallies (generation, basis, month, tenant, service, measure, value)
    SELECT generation, basis, month, tenant, service, measure, sum(value)
    FROM tallies, LATERAL (VALUES (date '-infinity'), (date_trunc('month', day::timestamp)::date)) AS span (month)
    GROUP BY 1, 2, 3, 4, 5, 6;
    UPDATE generations SET rules = {RULES}, zone = 'Asia/Shanghai'
"""
# Nobody measures these; what they are read by is looked at among many rows.
_NOTIFICATIONS = """
    INSERT INTO org_units (code, name) SELECT DISTINCT tenant, '示例村' FROM given;
    INSERT INTO person_roles (person, role, at)
    SELECT DISTINCT md5(tenant || first % people)::uuid, 'volunteer', tenant FROM given;
    INSERT INTO requests (id, tenant, number, service, resident, reporter, guardian, minor, status, merged_into,
        holders)
    SELECT id, tenant, lpad(n::text, 9, '0'), service, md5('resident' || n / 4)::uuid, md5('resident' || n / 4)::uuid,
           false, false, CASE WHEN n % 20 = 1 THEN 'merged' ELSE 'closed_confirmed' END,
           CASE WHEN n % 20 = 1 THEN gen_random_uuid() END, '{}'
    FROM given;
    INSERT INTO deliveries (id, tenant, grid, request_id, number, sequence, purpose, template, channel, audience,
        person, recipient, about, attempt, state, event_id, words, created_at, updated_at)
    SELECT uuidv7(at - clock_timestamp()), tenant, grid, id, lpad(n::text, 9, '0'), 1, 'result', 'confirm-work',
           channel, 'resident', md5('resident' || n / 4)::uuid, md5('resident' || n / 4), id || channel, 1,
           CASE WHEN age = 0 AND channel = 'call' THEN 'due' ELSE 'sent' END, id::text,
           '{"number": "", "service": ""}', at, at
    FROM given, unnest(ARRAY['call', 'inbox']) AS channel;
    INSERT INTO messages (id, person, tenant, request_id, number, purpose, template, locale, title, body, created_at,
        read_at)
    SELECT id, person, tenant, request_id, number, purpose, template, 'zh-CN', '办好了', '办好了', created_at,
           CASE WHEN number < '000010000' THEN created_at END
    FROM deliveries WHERE channel = 'inbox'
"""
# The kit's tables in any service: timers, how far each key is, answered calls, what was published and what waits.
_BOOKS = f"""
    INSERT INTO timers (aggregate, kind, tenant, due_at, version, traceparent, causationid)
    SELECT gen_random_uuid(), 'finish', '{ORDINARY}', now() + n * interval '1 minute', 1, '', ''
    FROM generate_series(1, $1) AS n;
    INSERT INTO positions (generation, topic, key, last)
    SELECT 1, 'lianhu.requests.v1', gen_random_uuid()::text, 6 FROM generate_series(1, $1);
    INSERT INTO idempotency_keys (caller, route, key, tenant, body, status, answer, created_at)
    SELECT n::text, 'POST /v1/requests', n::text, '{ORDINARY}', '', 201, '{{}}', now() - n * interval '1 minute'
    FROM generate_series(1, $1) AS n;
    INSERT INTO inbox (generation, id, received_at)
    SELECT 1, gen_random_uuid()::text, now() - n * interval '1 minute' FROM generate_series(1, $1) AS n;
    INSERT INTO waiting (generation, topic, key, sequence, tenant, awaits, event)
    SELECT 1, 'lianhu.dispatch.v1', gen_random_uuid()::text, 2, '{ORDINARY}', gen_random_uuid()::text, '{{}}'
    FROM generate_series(1, $1);
    INSERT INTO published (position, id, aggregatetype, aggregateid, shard, type, subject, payload, sequence, tenant,
        time, traceparent, causationid, published_at)
    SELECT -n, gen_random_uuid(), 'lianhu.requests.v1', n, n % 16, 'lianhu.request.submitted.v1', n, '{{}}', 1,
           '{ORDINARY}', now(), '', '', now()
    FROM generate_series(1, $1) AS n
"""
_SEEDS = {"requests": _REQUESTS, "dispatch": _DISPATCH, "reporting": _REPORTING, "notifications": _NOTIFICATIONS}


async def fill(rows: Connection, service: str, count: int, villages: int | None = None) -> None:
    """Fills a service's migrated, empty database with what so many requests leave behind; as the server's first user.

    `villages`: how many ordinary ones share nine tenths of them; without it as many as have a thousand each. Vacuumed
    and analyzed, as a database that has grown would be.
    """
    await rows.execute("SET session_replication_role = replica")  # the rows fit each other: no look-up for each of them
    await rows.execute("SET work_mem = '256MB'; SET maintenance_work_mem = '256MB'")
    given = _GIVEN.replace("$1", str(count)).replace("$2", str(villages or max(1, count * 9 // 10_000)))
    await rows.execute(f"{given}; ANALYZE given")
    laid = await _without_indexes(rows)
    await rows.execute(_SEEDS[service])
    for index in laid:
        await rows.execute(index)
    await rows.execute("DROP TABLE given; RESET session_replication_role")
    await rows.execute("VACUUM (ANALYZE)")


async def fill_books(rows: Connection, count: int) -> None:
    """Fills the kit's tables of a service's database, so many rows each; as the server's first user."""
    await rows.execute(_BOOKS.replace("$1", str(count)))
    await rows.execute("VACUUM (ANALYZE)")


async def _without_indexes(rows: Connection) -> list[str]:
    """Drops the indexes that no constraint needs; answers how to make them again, which is sooner done at the end."""
    found = await rows.fetch(
        "SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS made FROM pg_index "
        "JOIN pg_class ON pg_class.oid = indrelid LEFT JOIN pg_constraint ON conindid = indexrelid "
        "WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND NOT relispartition AND conindid IS NULL"
    )
    for index in found:
        await rows.execute(f"DROP INDEX {index['name']}")
    return [index["made"] for index in found]


def someone(village: str, which: int = 0) -> UUID:
    """One of a village's people, as the rows name them."""
    return UUID(hashlib.md5(f"{village}{which}".encode(), usedforsecurity=False).hexdigest())
