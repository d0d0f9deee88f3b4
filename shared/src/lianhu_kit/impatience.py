"""uvicorn's HTTP/1.1 protocol, that does not wait for ever for the head of a request, nor read one without end."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0
LARGEST_HEAD = 32 * 1024


class ImpatientProtocol(HttpToolsProtocol):
    """Closes a connection whose request line and headers are not there in time, or grow too long.

    uvicorn itself has a deadline only between requests: one byte a minute would keep a connection for days.
    """

    _waiting: asyncio.TimerHandle | None = None
    _head = 0

    def connection_made(self, transport: Any) -> None:
        """A client came: its first request's head is due."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Bytes of a head are counted; those of a body are the application's matter."""
        if self._waiting is not None:
            self._head += len(data)
        super().data_received(data)
        if self._waiting is not None and self._head > LARGEST_HEAD:
            self._leave()

    def on_message_begin(self) -> None:
        """The next request of this connection began."""
        super().on_message_begin()
        if self._waiting is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._forget()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client went."""
        self._forget()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._head = 0
        self._waiting = self.loop.call_later(HEAD_SECONDS, self._leave)

    def _forget(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _leave(self) -> None:
        self._forget()
        if not self.transport.is_closing():
            self.transport.close()
