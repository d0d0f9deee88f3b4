"""Metrics that answer an operator's questions; labels are few and never personal.

Two kinds of gauges: those that say "of the service" are read from its database by each of its workers, so that the
service's figure is the max over them; all others belong to one process and are summed.
"""

from prometheus_client import Counter, Gauge, Histogram

_SERVICE = " (of the service: take the max over its workers)"

CALLS = Histogram(
    "lianhu_call_seconds",
    "Time to answer a call",
    ["service", "route", "method", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
CALLS_AGAIN = Counter("lianhu_calls_again_total", "Calls done again for a deadlock or a crossing commit", ["service"])
REFUSED = Counter(
    "lianhu_calls_refused_total",
    "Calls answered with a problem, by its type; a lost claim is `already-claimed`",
    ["service", "type"],
)

RELAYED = Counter(
    "lianhu_events_published_total",
    "Events acknowledged by the broker, each counted once, by type",
    ["service", "type"],
)
RELAY_FAILURES = Counter("lianhu_relay_failures_total", "Batches that the broker did not acknowledge", ["service"])
RELAY_BATCH = Histogram(
    "lianhu_relay_batch_events",
    "Events that the relay read at once",
    ["service"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
)
OUTBOX_DEPTH = Gauge("lianhu_outbox_events", "Events not yet published" + _SERVICE, ["service"])
OUTBOX_REFUSED = Gauge(
    "lianhu_outbox_refused_events", "Events set apart because they can never be sent" + _SERVICE, ["service"]
)
OUTBOX_AGE = Gauge("lianhu_outbox_oldest_seconds", "Age of the oldest event not yet published" + _SERVICE, ["service"])

CONSUMED = Counter(
    "lianhu_events_consumed_total",
    "Events by what became of them: applied, duplicate, unknown, waiting, parked, dropped",
    ["service", "topic", "outcome"],
)
LAG = Gauge(
    "lianhu_consumer_lag_events", "Events not yet consumed in this process's partitions (sum over workers)",
    ["service", "topic"],
)  # fmt: skip
LAG_SECONDS = Gauge(
    "lianhu_consumer_lag_seconds",
    "Longest that an unread event can have waited in this process's partitions, measured every 10 s; max over workers",
    ["service", "topic"],
)
PARKED = Gauge("lianhu_parked_events", "Events that wait for an operator" + _SERVICE, ["service"])
PARKED_AGE = Gauge("lianhu_parked_oldest_seconds", "Age of the event parked longest" + _SERVICE, ["service"])
WAITING = Gauge(
    "lianhu_waiting_events", "Events that wait for an earlier one or for a prerequisite" + _SERVICE, ["service"]
)
WAITING_AGE = Gauge("lianhu_waiting_oldest_seconds", "Age of the event waiting longest" + _SERVICE, ["service"])

TIMERS_OVERDUE = Gauge("lianhu_timers_overdue", "Timers over 10 s late" + _SERVICE, ["service"])
TIMERS_LATE = Gauge(
    "lianhu_timers_overdue_oldest_seconds", "How late the latest timer is, 0 where none is due" + _SERVICE, ["service"]
)
TIMERS_FIRED = Counter("lianhu_timers_fired_total", "Timers by what became of them", ["service", "kind", "outcome"])

REQUESTS_OPEN = Gauge("lianhu_requests_open", "Requests that are not over, by status" + _SERVICE, ["service", "status"])
REQUESTS_AGE = Gauge(
    "lianhu_requests_oldest_seconds", "Time since the oldest of them was placed, by status" + _SERVICE,
    ["service", "status"],
)  # fmt: skip

CONNECTIONS = Gauge("lianhu_database_connections", "Connections of this process that are in use", ["pool"])
CONNECTIONS_LIMIT = Gauge("lianhu_database_connections_limit", "Connections that this process may open", ["pool"])
CONNECTION_WAIT = Histogram(
    "lianhu_database_wait_seconds",
    "Time until a transaction had its connection: a free one, or a new one",
    ["pool"],
    buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5),
)
CONNECTION_TIMEOUTS = Counter(
    "lianhu_database_wait_timeouts_total", "Transactions that got no connection in time", ["pool"]
)

FORGOTTEN = Counter("lianhu_rows_forgotten_total", "Rows (of published: days) dropped by age", ["service", "table"])
MEASURED = Gauge("lianhu_measured_timestamp_seconds", "When this worker last read its service's gauges", ["service"])
