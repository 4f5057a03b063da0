"""One seed -> named, independent streams of chance; and the order in which an epoch sees the images.

Nothing here has a state: every draw is a function of the seed and of a name, so a run that is
killed and resumed draws what the run that was not killed would have drawn.
"""

import zlib

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import UsageError

MAX_SEED = 2**63 - 1


def check_seed(seed: int) -> int:
    """A whole number 0..2**63-1, or UsageError."""
    if (
        isinstance(seed, bool)
        or not isinstance(seed, (int, np.integer))
        or not 0 <= seed <= MAX_SEED
    ):
        raise UsageError(f"seed: expected a whole number from 0 to 2**63-1, received {seed!r}.")
    return int(seed)


def stream(seed: int, *name: str | int) -> np.random.Generator:
    """stream(7, "dropout", 3) is the same on every machine and independent of stream(7, "order", 3).

    A word enters the seed sequence as its CRC-32, a number as itself (0 <= number < 2**63). NumPy fills
    short sequences up with 0, so a name is not told from the same name with a 0 behind it: a word
    takes a number always or never.
    """
    words = [
        zlib.crc32(part.encode()) if isinstance(part, str) else check_seed(part) for part in name
    ]
    return np.random.default_rng([check_seed(seed), *words])


def batches(seed: int, epoch: int, *, images: int, batch_size: int) -> NDArray[np.int32]:
    """Which images make up each batch of an epoch: int32 (steps, batch), rows of 0..images-1.

    Every batch is full, so that compiled code sees one shape: steps = images // batch. The fewer
    than `batch` images that remain sit this epoch out, and other ones do in the next. With fewer
    images than `batch_size` there is one batch of all of them.
    """
    batch = min(batch_size, images)
    steps = images // batch
    order = stream(seed, "order", epoch).permutation(images)
    return order[: steps * batch].reshape(steps, batch).astype(np.int32)
