"""The connections of a process, counted: how many are in use, and how long a transaction waits for one."""

import time

from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

from lianhu_kit import metrics


class CountedPool(AsyncAdaptedQueuePool):
    """SQLAlchemy's pool, with its waits and its connections in use as metrics under its `logging_name`."""

    def _do_get(self) -> ConnectionPoolEntry:
        name = self.logging_name or "database"
        began = time.perf_counter()
        try:
            return super()._do_get()
        except PoolTimeout:
            metrics.CONNECTION_TIMEOUTS.labels(name).inc()
            raise
        finally:
            metrics.CONNECTION_WAIT.labels(name).observe(time.perf_counter() - began)
            metrics.CONNECTIONS.labels(name).set(self.checkedout())

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        super()._do_return_conn(record)
        metrics.CONNECTIONS.labels(self.logging_name or "database").set(self.checkedout())
