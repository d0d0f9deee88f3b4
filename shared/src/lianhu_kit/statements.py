"""What runs named statements: a session, or the transaction of a hot path."""

from collections.abc import Awaitable
from typing import Any, Protocol


class Statements(Protocol):
    """A transaction that is given statements with their values, and that things are noted on."""

    @property
    def info(self) -> dict[Any, Any]: ...

    def execute(self, statement: Any, params: Any = ..., /) -> Awaitable[Any]:
        """Runs a statement; the answer has `all`, `one`, `scalars` and `scalar_one`, and can be iterated."""
        ...
