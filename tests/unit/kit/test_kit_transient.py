"""Which errors of the database are worth another try."""

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from lianhu_kit.database import is_transient

AWAY: list[Exception] = [
    ConnectionRefusedError(),
    ConnectionResetError(),
    TimeoutError(),
    PoolTimeout(),
    InterfaceError("SELECT 1", None, asyncpg.InterfaceError("connection is closed")),
    asyncpg.InterfaceError("connection is closed"),
    asyncpg.InternalClientError("unexpected message"),
    asyncpg.CannotConnectNowError("starting up"),
    asyncpg.ConnectionDoesNotExistError("closed in the middle"),
    asyncpg.AdminShutdownError("terminating"),
    asyncpg.CrashShutdownError("another process crashed"),
    asyncpg.TooManyConnectionsError("too many"),
    asyncpg.DeadlockDetectedError("deadlock"),
    asyncpg.LockNotAvailableError("lock timeout"),
    asyncpg.QueryCanceledError("statement timeout"),
    asyncpg.IdleInTransactionSessionTimeoutError("the process stood still"),
]
WRONG: list[Exception] = [
    asyncpg.UniqueViolationError("twice"),
    asyncpg.DataError("no integer"),
    asyncpg.UndefinedTableError("no such table"),
    asyncpg.InsufficientPrivilegeError("row-level security"),
    asyncpg.InFailedSQLTransactionError("aborted"),
    ValueError("ours"),
]


@pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)
def test_what_passes_by_itself_is_tried_again(error: Exception) -> None:
    assert is_transient(error)
    if isinstance(error, asyncpg.PostgresError):
        assert is_transient(DBAPIError("SELECT 1", None, error))


@pytest.mark.parametrize("error", WRONG, ids=lambda error: type(error).__name__)
def test_what_would_fail_again_is_not(error: Exception) -> None:
    assert not is_transient(error)
    assert not is_transient(DBAPIError("SELECT 1", None, error))
