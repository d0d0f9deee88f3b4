"""A way to the database that cuts connections exactly at COMMIT: before it gets there, or before its answer is back."""

import asyncio
import random
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit


class Cutter:
    """Forwards to a database; every third COMMIT or so ends its connection."""

    def __init__(self, url: str, dice: random.Random) -> None:
        self._parts = urlsplit(url)
        self._dice = dice
        self._server: asyncio.Server | None = None
        self.before = 0
        self.after = 0

    async def open(self) -> str:
        """Begins to listen; the database's address by this way."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        credentials = self._parts.netloc.rpartition("@")[0]
        return urlunsplit(self._parts._replace(netloc=f"{credentials}@127.0.0.1:{port}"))

    def close(self) -> None:
        """Listens no more."""
        if self._server is not None:
            self._server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, onward = await asyncio.open_connection(self._parts.hostname, self._parts.port)
        except OSError:
            writer.transport.abort()
            return
        cut = asyncio.Event()
        tasks = [
            asyncio.create_task(self._out(reader, onward, writer, cut)),
            asyncio.create_task(self._back(back, writer, cut)),
        ]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        writer.transport.abort()
        onward.close()  # an orderly end: what the server was sent, it does

    async def _out(
        self,
        reader: asyncio.StreamReader,
        onward: asyncio.StreamWriter,
        writer: asyncio.StreamWriter,
        cut: asyncio.Event,
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                chance = self._dice.random() if b"COMMIT" in data else 1.0
                if chance < 0.15:
                    self.before += 1
                    return
                if chance < 0.3:
                    self.after += 1
                    cut.set()  # its answer goes nowhere
                onward.write(data)
                await onward.drain()

    async def _back(self, back: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: asyncio.Event) -> None:
        with suppress(OSError):
            while data := await back.read(65536):
                if cut.is_set():
                    return
                writer.write(data)
                await writer.drain()
