"""How the server reads each statement of a piece of work: for the values at hand, and planned for any values.

A connection's statement is planned for its values five times; after that the server may plan it once for all values
(PostgreSQL documentation, PREPARE, plan_cache_mode). Both plans must be good among many rows.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from lianhu_kit.hot import HotTransaction, _native

Node = Mapping[str, Any]
_READS = re.compile(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
_PLACES = re.compile(r"\$(\d+)")
_INDEXES = {"Index Scan", "Index Only Scan", "Bitmap Index Scan"}


@dataclass(frozen=True)
class Plan:
    """A statement's plan; `values` says whether it was made for `the values given` or for `any values`."""

    statement: str
    values: str
    root: Node

    def nodes(self) -> Iterator[Node]:
        """Every step of it."""
        todo = [self.root]
        while todo:
            node = todo.pop()
            yield node
            todo += node.get("Plans", ())

    def sorts(self) -> bool:
        """Whether something is put in order that did not come so."""
        return any(node["Node Type"] in ("Sort", "Incremental Sort") for node in self.nodes())

    def faults(self, growing: Collection[str], queues: Collection[str]) -> list[str]:
        """Where it reads a growing table from end to end, or an index without a bound, in words."""
        found = []
        for node in self.nodes():
            kind, table, index = node["Node Type"], node.get("Relation Name"), node.get("Index Name", "")
            if kind == "Seq Scan" and table in growing:
                found.append(f"reads all of {table}")
            of_growing = table in growing or (table is None and any(index.startswith(name) for name in growing))
            if kind in _INDEXES and of_growing and "Index Cond" not in node and index not in queues:
                found.append(f"reads all of the index {index}")
        return [f"{fault}, planned for {self.values}: {self.statement}" for fault in found]


@dataclass
class Explained:
    """The plans of what ran."""

    plans: list[Plan] = field(default_factory=list)

    def of(self, words: str) -> list[Plan]:
        """The plans of the statements with these words; at least one statement has them."""
        found = [plan for plan in self.plans if words in plan.statement]
        assert found, f"no statement says {words!r}"
        return found

    def faults(self, growing: Collection[str], queues: Collection[str] = ()) -> list[str]:
        """All faults; `queues` are indexes whose first rows are the wanted ones, read from the beginning."""
        return [fault for plan in self.plans for fault in plan.faults(growing, queues)]


@contextmanager
def explained(engine: AsyncEngine) -> Iterator[Explained]:
    """Explains each different statement that passes through an engine in the block, in its own transaction.

    Those of hot paths too, which go to the driver itself.
    """
    seen: set[str] = set()
    made = Explained()

    def explain(connection: Any, _cursor: object, statement: str, values: Any, _context: object, many: bool) -> None:
        if statement in seen or many or not _READS.match(statement):
            return
        seen.add(statement)
        said = " ".join(statement.split())
        made.plans.append(
            Plan(said, "the values given", _asked(connection, f"EXPLAIN (FORMAT JSON) {statement}", values))
        )
        places = ", ".join(["NULL"] * max((int(place) for place in _PLACES.findall(statement)), default=0))
        any_values = f"EXPLAIN (FORMAT JSON) EXECUTE explained{f'({places})' if places else ''}"
        for words in (f"PREPARE explained AS {statement}", "SET plan_cache_mode = force_generic_plan"):
            _asked(connection, words)
        made.plans.append(Plan(said, "any values", _asked(connection, any_values)))
        for words in ("RESET plan_cache_mode", "DEALLOCATE explained"):
            _asked(connection, words)

    run, row = HotTransaction.execute, HotTransaction.row

    async def explain_native(hot: Any, statement: str, values: Sequence[Any]) -> None:
        if hot._database.engine is not engine or statement in seen or not _READS.match(statement):
            return
        seen.add(statement)
        said, driver = " ".join(statement.split()), hot._driver
        given = await driver.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *values)
        made.plans.append(Plan(said, "the values given", _root(given)))
        places = ", ".join(["NULL"] * len(values))
        await driver.execute(f"PREPARE explained AS {statement}")
        await driver.execute("SET plan_cache_mode = force_generic_plan")
        given = await driver.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE explained{f'({places})' if places else ''}")
        made.plans.append(Plan(said, "any values", _root(given)))
        await driver.execute("RESET plan_cache_mode; DEALLOCATE explained")

    async def explained_run(hot: Any, statement: Any, values: Mapping[str, Any] | None = None, /) -> Any:
        native, names = _native(statement)
        await explain_native(hot, native, [(values or {})[name] for name in names])
        return await run(hot, statement, values)

    async def explained_row(hot: Any, statement: str, *values: Any) -> Any:
        await explain_native(hot, statement, values)
        return await row(hot, statement, *values)

    event.listen(engine.sync_engine, "before_cursor_execute", explain)
    with patch.object(HotTransaction, "execute", explained_run), patch.object(HotTransaction, "row", explained_row):
        try:
            yield made
        finally:
            event.remove(engine.sync_engine, "before_cursor_execute", explain)


def _asked(connection: Any, words: str, values: Any = ()) -> Node:
    """The plan that an EXPLAIN gives; nothing for other commands."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(words, values)
        rows = cursor.fetchall() if cursor.description else []
    finally:
        cursor.close()
    if not rows:
        return {}
    return _root(rows[0][0])


def _root(told: Any) -> Node:
    """The first step of a plan, decoded by the driver or not."""
    root: Node = (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]
    return root
