"""The service without HTTP: bytes of pictures, or pictures, -> what the classifier makes of them, in time.

A few threads bring pictures into canonical form and ask the classifier, one reads photos. Knows nothing about
requests and responses.
"""

import asyncio
import gc
import math
import os
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tenfold.digits import SIDE, Classifier, Images
from tenfold.serving.answers import DECIMALS
from tenfold.serving.problems import Busy
from tenfold.serving.queues import Answer, InferenceQueue, Workers

if TYPE_CHECKING:
    from tenfold.reading import Line

# 24 million pixels is what phones save where nothing else is asked of them (5,712 x 4,284).
MAX_PIXELS = 25_000_000

TELL_SECONDS = 4.0
"""Within it pictures are told, from the end of the request's body on."""
READ_SECONDS = 20.0
"""Within it a photo is read, or many pictures are told."""
WARM_UP_SECONDS = 60.0
# So much of the time may be spent waiting; the rest is for the work itself and for machines that are busy.
WAITING_SHARE = 0.25
# What opening a picture costs, whatever its size, in bytes that take as long to decode;
PICTURE_BYTES = 10_000
# and how many such bytes take as long as to tell one digit.
BYTES_A_DIGIT = 4_000

T = TypeVar("T")


class Service:
    """A classifier at work for many at once; to be made and closed where an event loop runs.

    Attributes:
        classifier: what is asked.
        reject_below: where the largest probability is below it, a picture shows no digit; 0 for never.
        draining: whether it is about to end, and answers only what was already asked.
    """

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier
        self.reject_below = float(getattr(classifier, "reject_below", 0.0))
        self.draining = False
        self._queue = InferenceQueue(
            classifier,
            max_seconds=TELL_SECONDS * WAITING_SHARE,
            threads=min(os.cpu_count() or 1, 4),
        )
        self._reading = Workers(1, max_seconds=READ_SECONDS * WAITING_SHARE, name="tenfold-read")
        self._warm_up = asyncio.get_running_loop().create_task(self._first_answer())

    @property
    def ready(self) -> bool:
        """Whether a first answer has come, and more will."""
        warm = self._warm_up.done() and self._warm_up.exception() is None
        return warm and not self.draining

    async def _first_answer(self) -> None:
        # The first picture and the first photo also load what is needed for all others.
        blank = _blank_picture()
        await asyncio.gather(
            self._queue.ask(partial(_forms, [blank]), amount=1.0, seconds=WARM_UP_SECONDS),
            self._reading.run(PICTURE_BYTES, _read, blank, self.classifier),
        )
        # What is loaded now stays to the end. Each time the collector looked through it, every answer
        # waited for 50 to 75 milliseconds.
        gc.freeze()

    async def tell(self, parse: Callable[[bytes], Images], content: bytes) -> Answer:
        """The images in `content`, which `parse` finds there, told; Busy where that cannot be had in time."""
        amount = len(content) / (SIDE * SIDE)
        return await self._queue.ask(partial(parse, content), amount=amount, seconds=TELL_SECONDS)

    async def tell_pictures(self, contents: Sequence[bytes]) -> Answer:
        """Picture files -> their canonical forms, told.

        Raises:
            Busy: that cannot be had in time.
            DataError: one of them is no picture that can be used.
        """
        seconds = TELL_SECONDS if len(contents) == 1 else READ_SECONDS
        make = partial(_forms, contents, time.monotonic() + seconds)
        size = sum(PICTURE_BYTES + len(content) for content in contents)
        amount = len(contents) + size / BYTES_A_DIGIT
        return await _within(seconds, self._queue.ask(make, amount=amount, seconds=seconds))

    async def read(self, content: bytes) -> dict[str, Any]:
        """The file of a photo -> what is written on it, with the photo's width and height.

        Raises:
            Busy: that cannot be had in time.
            DataError: it is no photo that can be used.
        """
        return await _within(
            READ_SECONDS,
            self._reading.run(PICTURE_BYTES + len(content), _read, content, self.classifier),
        )

    def close(self) -> None:
        """Finish what has begun, and end the threads."""
        self._warm_up.cancel()
        for end in (self._reading.close, self._queue.close):
            end()
        gc.unfreeze()


async def _within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        raise Busy() from None


def _blank_picture() -> bytes:
    """A PGM file of white paper."""
    return b"P5 %d %d 255\n" % (SIDE, SIDE) + b"\xff" * (SIDE * SIDE)


def _forms(contents: Sequence[bytes], ends: float = math.inf) -> Images:
    """Picture files -> uint8 (n, 28, 28); Busy from `ends` on, on the monotonic clock, when nobody waits any more."""
    from tenfold.pictures import canonical, decode

    images = []
    for number, content in enumerate(contents, 1):
        # A thread cannot be stopped from outside, and a few kilobytes may hold many large pictures.
        if time.monotonic() > ends:
            raise Busy()
        images.append(canonical(decode(content, where=f"picture {number}", max_pixels=MAX_PIXELS)))
    return np.stack(images)


def _read(content: bytes, classifier: Classifier) -> dict[str, Any]:
    from tenfold.pictures import decode
    from tenfold.reading import read

    photo = decode(content, where="photo", max_pixels=MAX_PIXELS)
    height, width = photo.shape[:2]
    page = read(photo, model=classifier)
    return {"width": width, "height": height, "lines": [_line(line) for line in page.lines]}


def _line(line: "Line") -> dict[str, Any]:
    digits = [
        {
            "digit": None if told.rejected else told.digit,
            "confidence": round(told.confidence, DECIMALS),
            "box": list(told.box),
        }
        for told in line.digits
    ]
    return {"text": line.sure_text, "digits": digits}
