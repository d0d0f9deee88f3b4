"""A client that costs little: keep-alive connections over plain sockets, calls prepared beforehand.

A usual client would take more of the processor than the services it measures.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import orjson

MOST_AGAIN = 200


def call(method: str, path: str, headers: Mapping[str, str], body: object = None) -> bytes:
    """A call as it goes over the wire."""
    content = b"" if body is None else orjson.dumps(body)
    lines = [f"{method} {path} HTTP/1.1", "host: bench", "content-type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"content-length: {len(content)}", "", ""]
    return "\r\n".join(lines).encode() + content


@dataclass
class Drive:
    """What became of a number of calls."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    again: int = 0

    @property
    def rate(self) -> float:
        """Calls a second."""
        return sum(self.statuses.values()) / self.seconds


class Line:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def to(cls, port: int) -> "Line":
        """A connection to a port of this machine."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, wire: bytes) -> tuple[int, bytes]:
        """Status and body of one call."""
        self._writer.write(wire)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        body = await self._reader.readexactly(length) if length else b""
        return int(head[9:12]), body

    def close(self) -> None:
        """Ends the connection."""
        self._writer.close()


async def drive(port: int, calls: Iterable[bytes], connections: int) -> Drive:
    """Sends all calls over so many connections at once; the clock runs from the first call to the last answer."""
    lines = [await Line.to(port) for _ in range(connections)]
    done, rest = Drive(), iter(calls)
    began = time.perf_counter()
    await asyncio.gather(*(_work(line, rest, done) for line in lines))
    done.seconds = time.perf_counter() - began
    for line in lines:
        line.close()
    return done


async def _work(line: Line, calls: Iterator[bytes], done: Drive) -> None:
    for wire in calls:
        status, _ = await line.ask(wire)
        while status == 503 and done.again < MOST_AGAIN:  # as a client does; the clock goes on
            done.again += 1
            status, _ = await line.ask(wire)
        done.statuses[status] += 1
