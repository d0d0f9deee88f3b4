"""Migrations: the kit's own tables, and the row-level security that every table of a service is under.

A row is in reach when its division code lies in the scope's range under the C collation: `code >= scope AND code <
scope || ':'`. After one transaction with a local setting, a pooled connection's setting is '' and not NULL: an
unguarded range would then show every village, hence NULLIF.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import op

# Whoever waits for a table's lock holds up every call behind it: not for long, and then again a little later.
TIMEOUTS = {"lock_timeout": "2s", "statement_timeout": "60s"}
SCOPE = "NULLIF(current_setting('lianhu.scope', true), '')"
PERSON = "NULLIF(current_setting('lianhu.person', true), '')::uuid"

_KIT = """
CREATE TABLE outbox (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL, aggregatetype text NOT NULL, aggregateid text NOT NULL, shard smallint NOT NULL,
    type text NOT NULL, subject text NOT NULL, payload text, sequence bigint NOT NULL,
    tenant text COLLATE "C" NOT NULL, time timestamptz NOT NULL, traceparent text NOT NULL, causationid text NOT NULL,
    CONSTRAINT payload_size CHECK (octet_length(payload) <= 262144),
    CONSTRAINT outbox_sequence UNIQUE (aggregatetype, aggregateid, sequence)
);
CREATE INDEX outbox_order ON outbox (shard, position);
CREATE TABLE published (
    position bigint NOT NULL, id uuid NOT NULL, aggregatetype text NOT NULL, aggregateid text NOT NULL,
    shard smallint NOT NULL, type text NOT NULL, subject text NOT NULL, payload text, sequence bigint NOT NULL,
    tenant text COLLATE "C" NOT NULL, time timestamptz NOT NULL, traceparent text NOT NULL, causationid text NOT NULL,
    published_at timestamptz NOT NULL DEFAULT clock_timestamp()
) PARTITION BY RANGE (published_at);
CREATE TABLE published_other PARTITION OF published DEFAULT;
CREATE INDEX published_order ON published (position);
CREATE TABLE relays (holder text PRIMARY KEY, until timestamptz NOT NULL);
CREATE TABLE relay_leases (shard smallint PRIMARY KEY, holder text NOT NULL, until timestamptz NOT NULL);
INSERT INTO relay_leases SELECT shard, '', '-infinity' FROM generate_series(0, 15) AS shard;
CREATE TABLE positions (
    generation integer NOT NULL, topic text NOT NULL, key text NOT NULL, last bigint NOT NULL, blocked text,
    PRIMARY KEY (generation, topic, key)
);
CREATE TABLE inbox (
    generation integer NOT NULL, id text NOT NULL, received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (generation, id)
);
CREATE TABLE waiting (
    generation integer NOT NULL, topic text NOT NULL, key text NOT NULL, sequence bigint NOT NULL,
    tenant text COLLATE "C" NOT NULL, awaits text, event jsonb NOT NULL,
    since timestamptz NOT NULL DEFAULT clock_timestamp(), tried_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (generation, topic, key, sequence)
);
CREATE INDEX waiting_key ON waiting (generation, key);
CREATE INDEX waiting_awaits ON waiting (generation, awaits);
CREATE TABLE parked (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, generation integer NOT NULL, place text NOT NULL,
    topic text NOT NULL, key text NOT NULL, sequence bigint, event_id text, type text,
    tenant text COLLATE "C" NOT NULL, reason text NOT NULL, headers jsonb NOT NULL, value bytea,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(), UNIQUE (generation, place)
);
CREATE TABLE offsets (
    generation integer NOT NULL, topic text NOT NULL, partition integer NOT NULL, next bigint NOT NULL,
    PRIMARY KEY (generation, topic, partition)
);
CREATE TABLE timers (
    aggregate uuid NOT NULL, kind text NOT NULL, tenant text COLLATE "C" NOT NULL, due_at timestamptz NOT NULL,
    version bigint NOT NULL, lease uuid, lease_until timestamptz, attempts integer NOT NULL DEFAULT 0,
    traceparent text NOT NULL, causationid text NOT NULL, PRIMARY KEY (aggregate, kind)
);
CREATE INDEX timers_due ON timers (due_at);
CREATE TABLE idempotency_keys (
    caller text NOT NULL, route text NOT NULL, key text NOT NULL, tenant text COLLATE "C" NOT NULL,
    body bytea NOT NULL, status smallint NOT NULL, answer text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (caller, route, key)
);
CREATE INDEX idempotency_age ON idempotency_keys (created_at);
-- The day partitions of published events; the worker may make them without owning the table.
CREATE FUNCTION lianhu_partitions(days integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE day date; name text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('lianhu partitions')); -- two workers may keep house at once
    FOR ahead IN 0 .. days LOOP
        day := (clock_timestamp() AT TIME ZONE 'UTC')::date + ahead;
        name := 'published_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass(name) IS NOT NULL;
        BEGIN
            EXECUTE format('CREATE TABLE %I PARTITION OF published FOR VALUES FROM (%L) TO (%L)', name,
                day::timestamp AT TIME ZONE 'UTC', (day + 1)::timestamp AT TIME ZONE 'UTC');
            EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
            EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXCEPTION WHEN check_violation THEN
            NULL; -- the day's first rows lie in published_other already, and stay there
        END;
    END LOOP;
END $$;
"""

# Only the owner can drop a table. A reader of `published` (a backup) is waited for 2 s, then the next hour tries again:
# whoever waits for the parent table holds up the relay behind it.
_KEEPING = """
ALTER TABLE outbox ADD COLUMN refused text;
CREATE INDEX inbox_age ON inbox (received_at);
CREATE FUNCTION lianhu_drop_published(days integer) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE oldest text;
BEGIN
    IF days IS NULL OR days < 1 THEN
        RAISE EXCEPTION 'published events are kept for a day at least';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('lianhu partitions'));
    SELECT relname INTO oldest FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'published'::regclass
      AND CASE WHEN relname ~ '^published_[0-9]{8}$'
          THEN to_date(right(relname, 8), 'YYYYMMDD') + 1 <= (clock_timestamp() AT TIME ZONE 'UTC')::date - days
          ELSE false END
    ORDER BY relname LIMIT 1;
    IF oldest IS NOT NULL THEN
        EXECUTE format('DROP TABLE %I', oldest);
    END IF;
    RETURN oldest;
END $$;
"""

# Raw key and headers beside the raw value: the next release may read what this one cannot. A decision has no foreign
# key: the parked row goes when it is carried out, the decision stays.
_DECIDING = """
ALTER TABLE parked ADD COLUMN at_partition integer, ADD COLUMN at_offset bigint,
    ADD COLUMN raw_key bytea, ADD COLUMN raw_headers bytea;
CREATE INDEX parked_key ON parked (generation, topic, key);
CREATE TABLE parked_decisions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parked_id bigint NOT NULL, verdict text NOT NULL,
    reason text NOT NULL, decided_by text NOT NULL, decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    generation integer NOT NULL, place text NOT NULL, topic text NOT NULL, key text NOT NULL, sequence bigint,
    event_id text, type text, tenant text COLLATE "C" NOT NULL, parked_because text NOT NULL,
    parked_at timestamptz NOT NULL,
    CONSTRAINT parked_decisions_once UNIQUE (parked_id),
    CONSTRAINT parked_decisions_verdict CHECK (verdict IN ('retry', 'drop'))
);
CREATE TABLE dropped (
    parked_id bigint PRIMARY KEY, generation integer NOT NULL, place text NOT NULL, topic text NOT NULL,
    key text NOT NULL, sequence bigint, event_id text, type text, tenant text COLLATE "C" NOT NULL,
    reason text NOT NULL, headers jsonb NOT NULL, value bytea, at_partition integer, at_offset bigint,
    raw_key bytea, raw_headers bytea, parked_at timestamptz NOT NULL,
    dropped_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX dropped_place ON dropped (place);
CREATE FUNCTION lianhu_record_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is a record: rows are added, never changed or removed', TG_TABLE_NAME;
END $$;
CREATE TRIGGER parked_decisions_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON parked_decisions
    FOR EACH STATEMENT EXECUTE FUNCTION lianhu_record_stays();
CREATE TRIGGER dropped_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON dropped
    FOR EACH STATEMENT EXECUTE FUNCTION lianhu_record_stays();
"""
# What names no village is nobody's: every operator may see it, else nobody could decide on it.
_NOBODYS = f"{SCOPE} IS NOT NULL AND tenant !~ '^[0-9]{{2,17}}$'"

_WORKER_TABLES = (
    "outbox", "published", "published_other", "relays", "relay_leases", "positions", "inbox", "waiting", "parked",
    "offsets", "timers", "idempotency_keys",
)  # fmt: skip


def create_kit_tables(service: str) -> None:
    """Makes outbox, published, leases, positions, inbox, waiting, parked, offsets, timers and idempotency keys.

    The worker sees all of their rows; the API may add events, timers and keys in its scope, and read what is parked.
    """
    api, worker = f"{service}_api", f"{service}_worker"
    run(_KIT)
    for table in _WORKER_TABLES:
        _force(table)
        run(f"CREATE POLICY worker ON {table} TO {worker} USING (true) WITH CHECK (true)")
        run(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {worker}")
    reach = _in_scope("tenant")
    for table, privileges in (
        ("outbox", "INSERT"),
        ("timers", "SELECT, INSERT, UPDATE, DELETE"),
        ("idempotency_keys", "SELECT, INSERT"),
        ("parked", "SELECT"),
    ):
        run(f"CREATE POLICY api ON {table} TO {api} USING ({reach}) WITH CHECK ({reach})")
        run(f"GRANT {privileges} ON {table} TO {api}")
    run("REVOKE ALL ON FUNCTION lianhu_partitions(integer) FROM PUBLIC")
    run(f"GRANT EXECUTE ON FUNCTION lianhu_partitions(integer) TO {worker}")
    run("SELECT lianhu_partitions(7)")
    run(f"GRANT SELECT ON alembic_version TO {api}, {worker}")


def keep_by_age(service: str) -> None:
    """Lets the worker drop old days of `published` and set apart outbox rows that cannot be sent."""
    run(_KEEPING)
    run("REVOKE ALL ON FUNCTION lianhu_drop_published(integer) FROM PUBLIC")
    run(f"GRANT EXECUTE ON FUNCTION lianhu_drop_published(integer) TO {service}_worker")


def decide_on_parked(service: str) -> None:
    """Lets operators decide on parked events: their decisions and what they dropped, both only added to."""
    api, worker = f"{service}_api", f"{service}_worker"
    run(_DECIDING)
    reach = f"({_in_scope('tenant')}) OR ({_NOBODYS})"
    run(f"CREATE POLICY api_nobodys ON parked FOR SELECT TO {api} USING ({_NOBODYS})")
    for table, api_may, worker_may in (
        ("parked_decisions", "SELECT, INSERT", "SELECT"),
        ("dropped", "SELECT", "SELECT, INSERT"),
    ):
        _force(table)
        run(f"CREATE POLICY api ON {table} TO {api} USING ({reach}) WITH CHECK ({reach})")
        run(f"CREATE POLICY worker ON {table} TO {worker} USING (true) WITH CHECK (true)")
        run(f"GRANT {api_may} ON {table} TO {api}")
        run(f"GRANT {worker_may} ON {table} TO {worker}")


def protect(
    table: str,
    service: str,
    *,
    column: str | None = "tenant",
    api: str = "SELECT, INSERT, UPDATE",
    worker: str = "SELECT, INSERT, UPDATE",
    using: str | None = None,
    worker_everywhere: bool = False,
) -> None:
    """Puts a table under forced row-level security and grants what each role may.

    `column` holds the division code that decides the reach, None where the table has no tenant's data; `using`
    replaces the API's predicate; `worker_everywhere` frees the worker of the scope: for projections and copies.
    """
    reach = "true" if column is None else _in_scope(column)
    _force(table)
    for role, privileges, predicate in (
        (f"{service}_api", api, using or reach),
        (f"{service}_worker", worker, "true" if worker_everywhere else reach),
    ):
        if not privileges:
            continue
        run(f"CREATE POLICY {role.removeprefix(service + '_')} ON {table} TO {role} USING ({predicate}) "
            f"WITH CHECK ({predicate})")  # fmt: skip
        run(f"GRANT {privileges} ON {table} TO {role}")


def run(statements: str) -> None:
    """Executes SQL text as it stands, several statements too; writes it where only the SQL is asked for."""
    if op.get_context().as_sql:
        op.get_context().impl.static_output(f"{statements.strip().rstrip(';')};")
        return
    connection = op.get_bind()
    connection.exec_driver_sql("SELECT 1")  # the dialect begins its transaction here, unless it is to begin none
    raw: Any = connection.connection.dbapi_connection
    raw.run_async(lambda driver: driver.execute(statements))


@contextmanager
def without_transaction() -> Iterator[None]:
    """For CREATE and DROP INDEX CONCURRENTLY and the like: what was done before is committed, nothing times out.

    One statement each `run`. A run that was ended leaves an invalid index: drop it, if it is there, before making it.
    """
    with op.get_context().autocommit_block():
        for name in TIMEOUTS:
            run(f"SET {name} = 0")
        yield
        for name, value in TIMEOUTS.items():
            run(f"SET {name} = '{value}'")


def _in_scope(column: str) -> str:
    return f"{column} >= {SCOPE} AND {column} < {SCOPE} || ':'"


def _force(table: str) -> None:
    run(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    run(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
