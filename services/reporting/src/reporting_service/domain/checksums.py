"""A checksum over ordered rows, so that two generations can be compared by one line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any


class Checksum:
    """SHA-256 over rows in the order given; a row is its values as canonical JSON, one line each.

    Left out of the rows: when a fact was first counted, and sums that came back to zero.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.rows = 0

    def add(self, row: Sequence[Any]) -> None:
        """Adds one row."""
        line = json.dumps(list(row), sort_keys=True, separators=(",", ":"), default=str, ensure_ascii=False)
        self._hash.update(line.encode() + b"\n")
        self.rows += 1

    def hex(self) -> str:
        """The checksum in hexadecimal."""
        return self._hash.hexdigest()
