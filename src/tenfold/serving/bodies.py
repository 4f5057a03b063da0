"""The body of a request -> what was sent in it, never more of it than is allowed.

Bytes are counted as they come in, whatever Content-Length says, and a client that stops sending is not waited
for. Knows nothing about what pictures show.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import numpy as np
from starlette.requests import ClientDisconnect, Request

from tenfold.digits import SIDE, Images, check_images
from tenfold.errors import DataError
from tenfold.serving.problems import Busy, Problem

# A photo of today's phones has 2 to 12 million bytes as JPEG.
MAX_BODY_BYTES = 24 * 2**20
MAX_BODIES_BYTES = 8 * MAX_BODY_BYTES
"""Of all requests together that are being answered at one moment."""
# 256 arrays with each number on a line of its own, indented by 16 blanks, are 4.2 MB. Parsing makes up to 35
# times as much of a body, and nothing else is answered for a part of that time.
MAX_JSON_BYTES = 6 * 2**20
# 12 MB over a weak wireless network, 2 MB/s, take 6 seconds.
BODY_SECONDS = 10.0
STALL_SECONDS = 3.0
"""Between one piece of a body and the next."""

MAX_PICTURES = 64
MAX_ARRAYS = 256
"""28x28 arrays in one request; a classifier takes as many at once."""
# RFC 2046, section 5.1.1.
MAX_BOUNDARY_BYTES = 70

MULTIPART = "multipart/form-data"
JSON = "application/json"
BINARY = "application/octet-stream"

# It remarks on every body that it refuses, and anybody could fill the log with that.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)


class Bodies:
    """Reads bodies, and knows how many bytes are held of all of them together."""

    def __init__(self) -> None:
        self._held = 0

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes]:
        """The whole body, held until the block ends.

        Raises:
            Problem: it is too long or too slow, or the client has gone.
            Busy: the bodies of all requests together are too long.
        """
        at_most = MAX_JSON_BYTES if media_type(request) == JSON else MAX_BODY_BYTES
        _check_length(request.headers.get("content-length"), at_most)
        chunks: list[bytes] = []
        length = 0
        try:
            async for chunk in _in_time(request):
                self._held += len(chunk)
                length += len(chunk)
                if length > at_most:
                    raise _too_long(at_most)
                if self._held > MAX_BODIES_BYTES:
                    raise Busy(unread=True)
                chunks.append(chunk)
            yield b"".join(chunks)
        finally:
            self._held -= length


async def _in_time(request: Request) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    end = loop.time() + BODY_SECONDS
    try:
        async with asyncio.timeout_at(min(end, loop.time() + STALL_SECONDS)) as limit:
            async for chunk in request.stream():
                yield chunk
                limit.reschedule(min(end, loop.time() + STALL_SECONDS))
    except TimeoutError:
        raise Problem(
            HTTPStatus.REQUEST_TIMEOUT,
            f"Expected the whole request within {BODY_SECONDS:.0f} seconds, and no pause in it longer than "
            f"{STALL_SECONDS:.0f}. Send it again, or send a smaller picture.",
            unread=True,
        ) from None
    except ClientDisconnect:
        raise Problem(
            HTTPStatus.BAD_REQUEST, "The request ended before its body did.", unread=True
        ) from None


def _check_length(declared: str | None, at_most: int) -> None:
    if declared is not None and declared.isdecimal() and int(declared) > at_most:
        raise _too_long(at_most)


def _too_long(at_most: int) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"Expected a body of at most {at_most:,} bytes. Send smaller pictures, or fewer at once.",
        unread=True,
    )


def media_type(request: Request) -> str:
    """The media type of the body without its parameters, in lower case; "" where none is given."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def unsupported(*expected: str) -> Problem:
    """The refusal of a body of another type than those."""
    return Problem(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        f"Expected a Content-Type of {' or '.join(expected)}. With curl: -H 'Content-Type: {expected[0]}'.",
        unread=True,
    )


def pictures_in(content_type: str, content: bytes) -> list[bytes]:
    """The picture files in a multipart/form-data body, in their order; Problem where it is not one.

    Names and types that the parts claim for themselves are not looked at.
    """
    from python_multipart.exceptions import MultipartParseError
    from python_multipart.multipart import parse_options_header

    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if not 1 <= len(boundary) <= MAX_BOUNDARY_BYTES:
        raise _bad_multipart("a boundary in its Content-Type")
    parts = _Parts()
    try:
        parts.feed(boundary, content)
    except MultipartParseError:
        raise _bad_multipart("parts that begin and end as RFC 7578 says") from None
    if not parts.ended:
        raise _bad_multipart("its closing boundary: the body was cut off")
    if not parts.contents:
        raise _bad_multipart("at least one picture")
    return parts.contents


class _Parts:
    """Collects what the parts of a multipart body contain."""

    def __init__(self) -> None:
        self.contents: list[bytes] = []
        self.ended = False
        self._pieces: list[bytes] = []

    def feed(self, boundary: bytes, content: bytes) -> None:
        from python_multipart.multipart import MultipartParser

        # Not kept: it holds these methods, and a circle would hold the pictures until the next collection.
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._finish,
            },
        )
        parser.write(content)
        parser.finalize()

    def _begin(self) -> None:
        if len(self.contents) == MAX_PICTURES:
            raise _bad_multipart(f"at most {MAX_PICTURES} pictures")
        self._pieces = []

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._pieces.append(data[start:end])

    def _end(self) -> None:
        self.contents.append(b"".join(self._pieces))

    def _finish(self) -> None:
        self.ended = True


def _bad_multipart(expected: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, f"Expected a {MULTIPART} body with {expected}.")


def images_in(content: bytes) -> Images:
    """784 bytes a picture in canonical form, row by row -> uint8 (n, 28, 28), 1 <= n <= MAX_ARRAYS, or DataError."""
    size = SIDE * SIDE
    if not content or len(content) % size:
        raise DataError(
            f"Expected {size} bytes for each picture of {SIDE}x{SIDE}, received {len(content):,} bytes in all."
        )
    return _not_too_many(np.frombuffer(content, np.uint8).reshape(-1, SIDE, SIDE))


def images_in_json(content: bytes) -> Images:
    """{"images": [...]}, 28 rows of 28 whole numbers 0..255 a picture -> uint8 (n, 28, 28), 1 <= n <= MAX_ARRAYS.

    Raises:
        Problem: it is no JSON.
        DataError: it holds no such pictures.
    """
    try:
        given = json.loads(content)
    # Beside its own error the parser raises those of too deep a nesting and of bytes that are no text.
    except (ValueError, RecursionError):
        raise Problem(HTTPStatus.BAD_REQUEST, "Expected a JSON document.") from None
    if not isinstance(given, dict) or given.keys() != {"images"}:
        raise DataError('Expected {"images": [...]} and no other key.')
    try:
        return _not_too_many(check_images(given["images"]))
    except DataError:
        raise
    # What NumPy makes an array of, and what not, depends on every number in it.
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise DataError(
            f'Expected {{"images": [...]}} with {SIDE} rows of {SIDE} whole numbers 0..255 a picture.'
        ) from None


def _not_too_many(images: Images) -> Images:
    if len(images) > MAX_ARRAYS:
        raise DataError(
            f"Expected at most {MAX_ARRAYS} pictures in one request, received {len(images):,}. "
            "Send several requests."
        )
    return images
