"""One connection, with the patience that uvicorn leaves out: for heads, for slow readers, and at the end.

uvicorn waits for ever for the head of a request and for a client to read its answer, takes a head of any length,
and drops at shutdown what it has not yet looked at.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 16 * 2**10
HEAD_SECONDS = 10.0
"""From the beginning of a connection, or of a request on it, to the end of the request's head."""
WRITE_SECONDS = 10.0
"""In which a client must take some of its answer."""
# A request that was sent before the client could know of the end arrives within it.
LAST_REQUEST_SECONDS = 0.25


class Connection(HttpToolsProtocol):
    """uvicorn's connection, with limits."""

    _head_bytes = 0
    _raw_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None
    _last = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        for timer in (self._head_timer, self._write_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, and count it while it belongs to a head."""
        super().data_received(data)
        if self._idle():
            self._wait_for_head()
            # What has come of a line is told by no one before its end.
            self._raw_bytes += len(data)
            self._check_head(self._raw_bytes)

    def on_url(self, url: bytes) -> None:
        """A part of the request's target."""
        self._head_bytes += len(url)
        self._check_head(self._head_bytes)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header of the request."""
        self._head_bytes += len(name) + len(value)
        self._check_head(self._head_bytes)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there: the request begins."""
        self._head_bytes = self._raw_bytes = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        super().on_headers_complete()
        if self._last:
            self.cycle.keep_alive = False

    def shutdown(self) -> None:
        """End with the request that is being answered, or with one that is on its way."""
        self._last = True
        if self._idle():
            self.loop.call_later(LAST_REQUEST_SECONDS, super().shutdown)
        else:
            super().shutdown()

    def pause_writing(self) -> None:
        """The client does not take its answer."""
        super().pause_writing()
        self._write_timer = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The client takes it again."""
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()

    def _idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _wait_for_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _check_head(self, length: int) -> None:
        if length > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of the request is too long.")
