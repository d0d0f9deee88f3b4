"""What the relay asks of its database: leases of shards, the outbox read, moved, set apart. Each in one round trip."""

from sqlalchemy import text

# Says that we are there, takes free shards up to a fair share of those alive, keeps one's own, gives back what is over
# it; all by the database's clock.
LEASE = text(
    """
    WITH present AS (
        INSERT INTO relays (holder, until) VALUES (:me, clock_timestamp() + make_interval(secs => :seconds))
        ON CONFLICT (holder) DO UPDATE SET until = excluded.until
    ), gone AS (
        DELETE FROM relays WHERE holder <> :me AND until < clock_timestamp() - interval '1 minute'
    ), alive AS (
        SELECT count(*) + 1 AS relays FROM relays WHERE holder <> :me AND until > clock_timestamp()
    ), wanted AS (
        SELECT shard FROM relay_leases, alive
        WHERE holder = :me OR until < clock_timestamp()
        ORDER BY (holder = :me AND until > clock_timestamp()) DESC, shard
        LIMIT (SELECT ceil(CAST(:shards AS numeric) / relays) FROM alive)
        FOR UPDATE OF relay_leases SKIP LOCKED
    ), given AS (
        UPDATE relay_leases SET until = clock_timestamp()
        WHERE holder = :me AND shard NOT IN (SELECT shard FROM wanted)
    )
    UPDATE relay_leases SET holder = :me, until = clock_timestamp() + make_interval(secs => :seconds)
    WHERE shard IN (SELECT shard FROM wanted) RETURNING shard
    """
)
# With the driver's own placeholders: the shards, how many at most, and what is under way.
READ = """
    SELECT position, id, aggregatetype, aggregateid, shard, type, subject, payload, sequence, tenant, time, traceparent,
           causationid
    FROM outbox WHERE shard = ANY($1) AND refused IS NULL ORDER BY position LIMIT $2
"""
READ_ON = """
    SELECT position, id, aggregatetype, aggregateid, shard, type, subject, payload, sequence, tenant, time, traceparent,
           causationid
    FROM outbox WHERE shard = ANY($1) AND refused IS NULL
      AND position NOT IN (SELECT unnest(CAST($3 AS bigint[])))
    ORDER BY position LIMIT $2
"""
MOVE = text(
    """
    WITH moved AS (DELETE FROM outbox WHERE position = ANY(:positions) RETURNING *)
    INSERT INTO published (position, id, aggregatetype, aggregateid, shard, type, subject, payload, sequence, tenant,
                           time, traceparent, causationid)
    SELECT position, id, aggregatetype, aggregateid, shard, type, subject, payload, sequence, tenant, time, traceparent,
           causationid
    FROM moved
    """
)
# An event that can never be sent would hold up all others of its shard. Later ones of its key go on: who reads them
# lets them wait for it.
REFUSE = text(
    """
    UPDATE outbox SET refused = given.reason
    FROM unnest(CAST(:positions AS bigint[]), CAST(:reasons AS text[])) AS given (position, reason)
    WHERE outbox.position = given.position
    """
)
GIVE_BACK = text(
    """
    WITH gone AS (DELETE FROM relays WHERE holder = :me)
    UPDATE relay_leases SET until = clock_timestamp() WHERE holder = :me
    """
)
