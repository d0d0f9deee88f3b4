"""The one place that commits: a transaction with its scope, and the wake-up of the relay after it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import orjson
import sqlalchemy.ext.asyncio
import sqlalchemy.orm
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from lianhu_kit import metrics, tracing
from lianhu_kit.logs import logger
from lianhu_kit.pausing import pause
from lianhu_kit.pool import CountedPool

OUTBOX_CHANNEL = "lianhu_outbox"
WAKES = "lianhu.wakes"
CLOCK = "lianhu.clock"
_AT_END = "lianhu.at_end"
_SCOPE = "lianhu.scope"
_DRIVER = (asyncpg.InterfaceError, asyncpg.InternalClientError)
_log = logger(__name__)

# Scope, person and clock in one round trip. The settings end with the transaction.
_ENTER = text(
    "SELECT set_config('lianhu.scope', :scope, true), set_config('lianhu.person', :person, true), clock_timestamp()"
)


class Noted(Protocol):
    """A transaction that things are noted on: the session's, or that of a hot path."""

    @property
    def info(self) -> dict[Any, Any]: ...


class _Orm(Session):
    """SQLModel's session, whose `execute` warns at every call; ours runs named SQL through it."""

    execute = sqlalchemy.orm.Session.execute


class _Session(AsyncSession):
    """The same for its asynchronous side."""

    sync_session_class = _Orm
    execute = sqlalchemy.ext.asyncio.AsyncSession.execute


class Database:
    """A service's database under one role.

    Give the URL as `postgresql://…`. Nothing connects before the first transaction. Connects, statements and waits
    for a free connection have deadlines: `statement_seconds` bounds a statement, 5 s the others.
    """

    def __init__(self, url: str, *, application_name: str, pool_size: int = 10, statement_seconds: float = 15) -> None:
        self.url = url
        self.application_name = application_name
        self.engine: AsyncEngine = create_async_engine(
            url.replace("postgresql://", "postgresql+asyncpg://", 1),
            poolclass=CountedPool,
            pool_logging_name=application_name,
            pool_size=2 * pool_size,
            max_overflow=0,  # an overflow connection would be closed when it comes back, and opened for the next call
            pool_timeout=5,
            pool_pre_ping=False,
            pool_use_lifo=True,
            hide_parameters=True,  # errors and logs never show names or phones
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
            connect_args={
                "timeout": 5,
                "command_timeout": statement_seconds + 0.5,  # the server ends a long statement first, and says so
                "server_settings": {
                    "application_name": application_name,
                    "statement_timeout": str(int(statement_seconds * 1000)),
                    "idle_in_transaction_session_timeout": "60000",
                    "lock_timeout": "10000",
                    "timezone": "UTC",
                    "jit": "off",
                },
            },
        )
        metrics.CONNECTIONS_LIMIT.labels(application_name).set(2 * pool_size)
        self._sessions = async_sessionmaker(self.engine, class_=_Session, expire_on_commit=False)
        self.wakeups = Wakeups(url, application_name)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One transaction: commits when the block ends, rolls back when it raises, then wakes who waits for it.

        It begins without a scope, so that no tenant's row can be seen before `enter_scope`.
        """
        async with self._sessions() as session:
            with tracing.part("transaction", db__system__name="postgresql"):
                async with session.begin():
                    yield session
                    for _, work in sorted(session.info.get(_AT_END, {}).items()):
                        await work(session)
            for channel in session.info.get(WAKES, ()):
                self.wakeups.wake(channel)

    async def close(self) -> None:
        """Closes all connections."""
        await self.wakeups.close()
        await self.engine.dispose()


async def enter_scope(session: AsyncSession, code: str, person: UUID | None = None) -> datetime:
    """Sets whose rows this transaction may see: everything under `code`, and what is `person`'s own.

    Answers the database's clock. An empty code reaches no village. The setting ends with the transaction.
    """
    entered = (code, person)
    if session.info.get(_SCOPE) == entered:
        return now(session)
    row = (await session.execute(_ENTER, {"scope": code[:12], "person": str(person or "")})).one()
    session.info[_SCOPE] = entered
    clock: datetime = session.info.setdefault(CLOCK, row[2])
    return clock


def now(session: Noted) -> datetime:
    """The database's clock as it was when this transaction entered its scope; aware, UTC."""
    clock: datetime | None = session.info.get(CLOCK)
    if clock is None:
        raise RuntimeError("enter_scope comes before now: the clock is the database's")
    return clock


def at_end(session: AsyncSession, name: str, work: Callable[[AsyncSession], Awaitable[None]]) -> None:
    """Has `work` done once, as the last thing before this transaction commits; several in the order of their names.

    For rows that transactions over different aggregates share: taken last and in one order, they close no circle of
    waits.
    """
    session.info.setdefault(_AT_END, {}).setdefault(name, work)


def wake_after_commit(session: Noted, channel: str, payload: str = "") -> None:
    """Sends a NOTIFY once this transaction has committed, on a connection of its own and coalesced."""
    session.info.setdefault(WAKES, {})[channel if not payload else f"{channel}:{payload}"] = None


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's five-character code of an error, or an empty string where it has none."""
    seen: BaseException | None = error
    while seen is not None:
        state = getattr(seen, "sqlstate", None) or getattr(getattr(seen, "orig", None), "sqlstate", None)
        if state:
            return str(state)
        seen = seen.__cause__
    return ""


def is_conflict(error: BaseException) -> bool:
    """Whether the database gave this transaction up in favour of another, and the same one would succeed at once."""
    return sqlstate(error) in {"40001", "40P01"}


def is_overrun(error: BaseException) -> bool:
    """Whether the database answered that a statement took too long; a database that says nothing is another matter."""
    return sqlstate(error) == "57014"


def is_transient(error: BaseException) -> bool:
    """Whether the same work can succeed later: connection lost, server ending, deadlock, lock or statement timeout.

    So can it after the process or the server stood still and the transaction or the driver's protocol broke over it.
    So can it once a database that was lost is rebuilt or restored: until then it is not there, or lets nobody in.
    Classes and codes: PostgreSQL documentation, appendix A (08, 25P03, 25P04, 3D000, 40, 53, 55000, 55P03, 57, 58).
    """
    if isinstance(error, (PoolTimeout, InterfaceError, TimeoutError, OSError, *_DRIVER)):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = sqlstate(error)
    return state[:2] in {"08", "40", "53", "57", "58"} or state in {"25P03", "25P04", "3D000", "55000", "55P03"}


class Wakeups:
    """NOTIFY after commit: the first at once, then one per channel and 5 ms, never inside a business transaction.

    A NOTIFY inside a transaction takes a lock at commit that would put all writers in one queue.
    """

    def __init__(self, url: str, application_name: str) -> None:
        self._url = url
        self._name = application_name
        self._pending: dict[str, None] = {}
        self._task: asyncio.Task[None] | None = None
        self._connection: asyncpg.Connection[Any] | None = None
        self._closed = False
        self._sent_at = float("-inf")

    def wake(self, channel: str) -> None:
        """Asks for a NOTIFY on a channel (`channel` or `channel:payload`) soon; returns at once, never raises."""
        if self._closed:
            return
        self._pending[channel] = None
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._send(), name="wakeups")

    async def _send(self) -> None:
        while self._pending:
            await asyncio.sleep(max(0.0, self._sent_at + 0.005 - time.monotonic()) if self._connection else 0)
            pending, self._pending = list(self._pending), {}
            try:
                if self._connection is None or self._connection.is_closed():
                    self._connection = await asyncpg.connect(
                        self._url, timeout=5, server_settings={"application_name": f"{self._name}:wakeups"}
                    )
                for channel in pending:
                    name, _, payload = channel.partition(":")
                    await self._connection.execute("SELECT pg_notify($1, $2)", name, payload, timeout=5)
                self._sent_at = time.monotonic()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                # A lost wake-up costs a poll interval at most: the poll is the floor beneath it.
                _log.warning("wakeup lost", error=type(error).__name__)
                await self._drop()
                return

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def close(self) -> None:
        """Sends what is pending and closes the connection; later wake-ups are left to the poll."""
        self._closed = True
        if self._task is not None and not self._task.done():
            await asyncio.wait([self._task], timeout=2)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._drop()


@asynccontextmanager
async def listening(url: str, channel: str, application_name: str) -> AsyncIterator["Listener"]:
    """Listens on a channel with a connection of its own, which is opened again whenever it is lost."""
    listener = Listener(url, channel, application_name)
    task = asyncio.create_task(listener.keep(), name=f"listen {channel}")
    try:
        yield listener
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _told(lost: asyncio.Event, _connection: object) -> None:
    lost.set()


class Listener:
    """Wakes one waiter when somebody notified the channel."""

    def __init__(self, url: str, channel: str, application_name: str) -> None:
        self._url, self._channel, self._name = url, channel, application_name
        self._woken = asyncio.Event()
        self.payloads: set[str] = set()

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        if payload:
            self.payloads.add(str(payload))
        self._woken.set()

    async def keep(self) -> None:
        """Keeps the connection; every fault is followed by another try after a second."""
        while True:
            connection: asyncpg.Connection[Any] | None = None
            try:
                connection = await asyncpg.connect(
                    self._url, timeout=5, server_settings={"application_name": f"{self._name}:listen"}
                )
                await asyncio.wait_for(connection.add_listener(self._channel, self._heard), 5)
                self._woken.set()  # something may have happened while nobody listened
                lost = asyncio.Event()
                connection.add_termination_listener(partial(_told, lost))
                while not connection.is_closed():
                    await connection.execute("SELECT 1", timeout=5)  # a silent server is lost too
                    await pause(lost, 5)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
                await asyncio.sleep(1)
            finally:
                if connection is not None:
                    connection.terminate()

    async def wait(self, seconds: float) -> bool:
        """Waits until somebody notified, at most so long; whether somebody did."""
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except TimeoutError:
            return False
        self._woken.clear()
        return True
