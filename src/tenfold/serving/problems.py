"""What the service says instead of an answer: one JSON form for every refusal and every fault.

Source: RFC 9457, "Problem Details for HTTP APIs". A problem tells the caller what to do, never what goes on
inside; a fault of tenfold's own carries a number, which the log has too.
"""

import asyncio
import json
import math
from collections.abc import Iterable
from http import HTTPStatus

from starlette.types import Receive, Send

MEDIA_TYPE = "application/problem+json"
# What is still read of a request that was refused before its end. A connection that is closed over unread
# bytes is reset, and the answer lost with it.
LINGER_BYTES = 64 * 2**20
LINGER_SECONDS = 2.0


class Problem(Exception):
    """A request that gets no answer: its status, and a sentence about what to do.

    Args:
        status: 400..599.
        detail: what was expected, what was received, the next step.
        headers: (name, value) pairs that the response carries besides.
        close: whether the connection ends with it, because the rest of the request was not read.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        headers: Iterable[tuple[str, str]] = (),
        close: bool = False,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.close = status, detail, close
        self.headers = [*headers, *([("connection", "close")] if close else [])]

    def content(self) -> bytes:
        """The body: a problem details object."""
        body = {"title": self.status.phrase, "status": self.status.value, "detail": self.detail}
        return json.dumps(body).encode()


class Busy(Problem):
    """More is asked of the service than it can answer in time; `seconds` is when to come again."""

    def __init__(self, seconds: float = 1.0, *, close: bool = False) -> None:
        super().__init__(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "The service has more to do than it can answer in time. Try again after the seconds in Retry-After.",
            headers=[("retry-after", str(max(1, math.ceil(seconds))))],
            close=close,
        )


async def send_problem(problem: Problem, receive: Receive, send: Send) -> None:
    """Answer with a problem; where the request was not read to its end, read on for a while and drop it."""
    content = problem.content()
    headers = [("content-type", MEDIA_TYPE), ("content-length", str(len(content)))]
    headers += problem.headers
    await send(
        {
            "type": "http.response.start",
            "status": problem.status.value,
            "headers": [
                (name.encode("latin-1"), value.encode("latin-1")) for name, value in headers
            ],
        }
    )
    await send({"type": "http.response.body", "body": content, "more_body": problem.close})
    if problem.close:
        await _linger(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _linger(receive: Receive) -> None:
    dropped = 0
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while dropped < LINGER_BYTES:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
                dropped += len(message["body"])
    except TimeoutError:
        pass
