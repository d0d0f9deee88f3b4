"""A checksum over the tables of a generation, so that two generations can be compared by one line."""

from __future__ import annotations

import hashlib


class Checksum:
    """SHA-256 over each table's number of rows and two sums of 64-bit hashes of its rows, in whatever order they lie.

    It finds what drifted, by chance or by a bug; it is no proof against somebody who makes rows to deceive it. Left out
    of the rows: when a fact was first counted, and sums that came back to zero.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.rows = 0

    def add(self, rows: int, low: int, high: int) -> None:
        """Adds one table."""
        self._hash.update(f"{rows} {low} {high}\n".encode())
        self.rows += rows

    def hex(self) -> str:
        """The checksum in hexadecimal."""
        return self._hash.hexdigest()
