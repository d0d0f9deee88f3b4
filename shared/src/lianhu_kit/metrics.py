"""Metrics that answer an operator's questions; labels are few and never personal."""

from prometheus_client import Counter, Gauge, Histogram

CALLS = Histogram(
    "lianhu_call_seconds",
    "Time to answer a call",
    ["service", "route", "method", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
RELAYED = Counter("lianhu_events_published_total", "Events acknowledged by the broker", ["service"])
RELAY_FAILURES = Counter("lianhu_relay_failures_total", "Batches that the broker did not acknowledge", ["service"])
OUTBOX_DEPTH = Gauge("lianhu_outbox_events", "Events not yet published", ["service"])
OUTBOX_AGE = Gauge("lianhu_outbox_oldest_seconds", "Age of the oldest event not yet published", ["service"])
OUTBOX_REFUSED = Gauge("lianhu_outbox_refused_events", "Events that cannot be sent as they are", ["service"])
CONSUMED = Counter(
    "lianhu_events_consumed_total",
    "Events by what became of them: applied, duplicate, unknown, waiting, parked",
    ["service", "topic", "outcome"],
)
LAG = Gauge("lianhu_consumer_lag_events", "Events not yet consumed", ["service", "topic"])
PARKED = Gauge("lianhu_parked_events", "Events that wait for an operator", ["service"])
WAITING = Gauge("lianhu_waiting_events", "Events that wait for an earlier one or for a prerequisite", ["service"])
TIMERS_OVERDUE = Gauge("lianhu_timers_overdue", "Timers over 10 s late", ["service"])
TIMERS_FIRED = Counter("lianhu_timers_fired_total", "Timers by what became of them", ["service", "kind", "outcome"])
FORGOTTEN = Counter("lianhu_rows_forgotten_total", "Rows (of published: days) dropped by age", ["service", "table"])
CALLS_AGAIN = Counter("lianhu_calls_again_total", "Calls done again for a deadlock or a crossing commit", ["service"])
