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
# So much is read of a request that is refused, before the refusal; then the connection can go on.
SHORT_BYTES, SHORT_SECONDS = 64 * 2**10, 0.5
# So much more is read and dropped after it, since a connection that is closed over unread bytes is reset, and
# the refusal lost with it.
LINGER_BYTES, LINGER_SECONDS = 64 * 2**20, 2.0


class Problem(Exception):
    """A request that gets no answer: its status, and a sentence about what to do.

    Args:
        status: 400..599.
        detail: what was expected, what was received, the next step.
        headers: (name, value) pairs that the response carries besides.
        unread: whether the body of the request may not have been read to its end.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        headers: Iterable[tuple[str, str]] = (),
        unread: bool = False,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.unread = status, detail, unread
        self.headers = list(headers)

    def content(self) -> bytes:
        """The body: a problem details object."""
        body = {"title": self.status.phrase, "status": self.status.value, "detail": self.detail}
        return json.dumps(body).encode()


class Busy(Problem):
    """More is asked of the service than it can answer in time; `seconds` is when to come again."""

    def __init__(self, seconds: float = 1.0, *, unread: bool = False) -> None:
        super().__init__(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "The service has more to do than it can answer in time. Try again after the seconds in Retry-After.",
            headers=[("retry-after", str(max(1, math.ceil(seconds))))],
            unread=unread,
        )


async def send_problem(problem: Problem, receive: Receive, send: Send) -> None:
    """Answer with a problem, in such a way that the client gets it although nobody read what it sent."""
    ends = problem.unread and not await _read_on(receive, SHORT_BYTES, SHORT_SECONDS)
    content = problem.content()
    headers = [("content-type", MEDIA_TYPE), ("content-length", str(len(content)))]
    headers += [*problem.headers, *([("connection", "close")] if ends else [])]
    start = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": problem.status.value, "headers": start})
    await send({"type": "http.response.body", "body": content, "more_body": ends})
    if ends:
        await _read_on(receive, LINGER_BYTES, LINGER_SECONDS)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _read_on(receive: Receive, most: int, seconds: float) -> bool:
    """Drop what still comes, at most so much and so long -> whether it has ended."""
    dropped = 0
    try:
        async with asyncio.timeout(seconds):
            while dropped <= most:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return True
                dropped += len(message["body"])
    except TimeoutError:
        pass
    return False
