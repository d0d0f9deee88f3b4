"""A transaction of a hot path: the driver's own connection, taken from the same pool as every other.

The rules are those of `Database.transaction`: one transaction, its scope set before anything is read, one commit, then
the wake-up of the relay. What differs is the price: BEGIN and scope are one round trip, statements are the driver's
(`$1`, prepared once a connection), and no unit of work stands in between. See docs/decisions/0015.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import lru_cache
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import asyncpg
from sqlalchemy import TextClause
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

from lianhu_kit.database import CLOCK, WAKES, Database

_CODE = re.compile(r"[0-9]{0,12}")
_PLACE = re.compile(r"(?<![:\w]):([a-z_]+)")  # not the second colon of a cast
_UNDO_SECONDS = 2


class Row(asyncpg.Record):
    """A row whose columns are also attributes, as in SQLAlchemy's."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Rows:
    """The answer of a named statement: as much of SQLAlchemy's result as batches use."""

    __slots__ = ("_rows",)

    def __init__(self, rows: Sequence[Any]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> Sequence[Any]:
        """All rows."""
        return self._rows

    def one(self) -> Any:
        """The only row; ValueError where there is none or another."""
        (row,) = self._rows
        return row

    def scalars(self) -> list[Any]:
        """The first column."""
        return [row[0] for row in self._rows]

    def scalar_one(self) -> Any:
        """The only row's first column."""
        return self.one()[0]


@lru_cache(maxsize=256)
def _native(statement: TextClause) -> tuple[str, tuple[str, ...]]:
    """A statement with the driver's own placeholders, and the names of the values in their order."""
    names: list[str] = []

    def numbered(found: re.Match[str]) -> str:
        if (name := found[1]) not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return _PLACE.sub(numbered, statement.text), tuple(names)


async def _connection(database: Database) -> "tuple[PoolProxiedConnection, asyncpg.Connection[Any]]":
    """A connection of the pool that is not known to be lost."""
    while True:
        held = await database.engine.raw_connection()
        driver: asyncpg.Connection[Any] | None = held.driver_connection
        if driver is not None and not driver.is_closed():
            return held, driver
        await greenlet_spawn(held.invalidate)


@asynccontextmanager
async def alone(database: Database) -> "AsyncIterator[asyncpg.Connection[Any]]":
    """A connection for single statements, each a transaction of its own without a scope: one round trip each."""
    held, driver = await _connection(database)
    try:
        yield driver
    except BaseException:
        driver.terminate()  # it may be in the middle of an answer
        raise
    finally:
        await greenlet_spawn(held.invalidate if driver.is_closed() else held.close)


class HotTransaction:
    """Commits when its block ends, rolls back where that raises. `info` is what `wake_after_commit` and `now` use.

    `scope` and `person` as for `enter_scope`; `first` is a statement without parameters that runs before all others.
    """

    def __init__(self, database: Database, scope: str, person: UUID | None = None, *, first: str = "") -> None:
        scope = scope[:12]
        if not _CODE.fullmatch(scope) or not isinstance(person, UUID | None):
            raise ValueError("a scope is a division code, a person is a UUID")  # they stand in the statement as text
        self.info: dict[str, Any] = {}
        self._database = database
        self._opening = (
            f"BEGIN; SET LOCAL lianhu.scope = '{scope}'; SET LOCAL lianhu.person = '{person or ''}'; {first}"
        )

    async def row(self, statement: str, *values: Any) -> "asyncpg.Record | None":
        """The first row of a statement with the driver's own placeholders; None where there is none."""
        return await self._driver.fetchrow(statement, *values)

    async def execute(self, statement: TextClause, values: Mapping[str, Any] | None = None, /) -> Rows:
        """Runs a named statement as a session would, so that it can be given to either."""
        native, names = _native(statement)
        return Rows(await self._driver.fetch(native, *((values or {})[name] for name in names), record_class=Row))

    def at(self, clock: datetime) -> None:
        """Takes over the database's clock from the first statement that read it, for `now`."""
        self.info.setdefault(CLOCK, clock)

    async def __aenter__(self) -> Self:
        """Takes a connection and opens the transaction in its scope."""
        self._held, self._driver = await _connection(self._database)
        try:
            await self._driver.execute(self._opening)
        except BaseException:
            await self._undone()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commits and wakes who waits for what was recorded; or undoes everything."""
        if kind is not None:
            await self._undone()
            return
        try:
            await self._commit()
        except BaseException:
            await self._undone()
            raise
        await greenlet_spawn(self._held.close)
        for channel in self.info.get(WAKES, ()):
            self._database.wakeups.wake(channel)

    async def _commit(self) -> None:
        await self._driver.execute("COMMIT")

    async def _undone(self) -> None:
        """Gives the connection back without a transaction, even where the call was cancelled, and again meanwhile."""
        await asyncio.shield(asyncio.ensure_future(self._undo()))

    async def _undo(self) -> None:
        try:
            # Asked of the server always: after a cancelled statement the driver does not know how that one ended.
            await self._driver.execute("ROLLBACK", timeout=_UNDO_SECONDS)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError):
            self._driver.terminate()
        await greenlet_spawn(self._held.invalidate if self._driver.is_closed() else self._held.close)
