"""Digits: labelled 28x28 pictures as one checked, immutable value; and what a Classifier is.

Knows nothing about where pixels come from (`data`), how any other picture becomes 28x28
(`pictures`) or what learns from them. Ink is bright (255) on a dark ground (0), as in MNIST.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tenfold.errors import DataError
from tenfold.randomness import stream

SIDE = 28
CLASSES = 10

Images = NDArray[np.uint8]
Labels = NDArray[np.uint8]
Probabilities = NDArray[np.float32]


class Classifier(Protocol):
    """Anything that gives ten probabilities for each picture."""

    def predict_proba(self, images: Images) -> Probabilities:
        """images uint8 (n, 28, 28) -> float32 (n, 10), rows sum to 1."""
        ...


@dataclass(frozen=True, eq=False)
class Digits:
    """n pictures of digits and, where known, what they show.

    Attributes:
        images: uint8 (n, 28, 28), ink bright on 0; made read-only. n >= 1.
        labels: uint8 (n,) in 0..9, or None where nobody has said; made read-only.
        source: where they came from, in words a person can follow up.

    Raises:
        DataError: shapes, dtypes, values or lengths are not those above.
    """

    images: Images
    labels: Labels | None
    source: str

    def __post_init__(self) -> None:
        images = check_images(self.images)
        object.__setattr__(self, "images", _read_only(images))
        if self.labels is not None:
            labels = check_labels(self.labels)
            if len(labels) != len(images):
                raise DataError(
                    f"{self.source}: expected one label for each image, received {len(labels)} labels for "
                    f"{len(images)} images. Check that both files belong to the same data set."
                )
            object.__setattr__(self, "labels", _read_only(labels))

    def __len__(self) -> int:
        return len(self.images)

    def take(self, rows: NDArray[np.integer]) -> "Digits":
        """The pictures at `rows` (k,), in that order."""
        labels = None if self.labels is None else self.labels[rows]
        return Digits(self.images[rows], labels, self.source)

    @property
    def known_labels(self) -> Labels:
        """The labels, or DataError where there are none."""
        if self.labels is None:
            raise DataError(f"{self.source}: labels are needed here, and these digits have none.")
        return self.labels

    @cached_property
    def hash(self) -> str:
        """sha256 of pixels and labels in order: equal for equal content, whatever file it came from."""
        digest = hashlib.sha256(f"digits {len(self)} {self.labels is not None}\n".encode())
        digest.update(np.ascontiguousarray(self.images).data)
        if self.labels is not None:
            digest.update(np.ascontiguousarray(self.labels).data)
        return digest.hexdigest()


class Parts(NamedTuple):
    """A data set as it is given out: a training part and, where its authors made one, a test part."""

    train: Digits
    test: Digits | None


def fingerprints(images: Images) -> NDArray[np.uint64]:
    """images uint8 (n, 28, 28) -> uint64 (n,): equal pictures have equal fingerprints.

    Two different pictures among 70,000 share one with probability 1e-10 (64-bit BLAKE2b).
    """
    rows = np.ascontiguousarray(images).reshape(len(images), -1)
    digests = b"".join(hashlib.blake2b(row.data, digest_size=8).digest() for row in rows)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)


def joined(parts: Sequence[Digits]) -> Digits:
    """The pictures of one or more parts, one part after the other; labels where all have them, source of the first."""
    labels = [part.labels for part in parts if part.labels is not None]
    return Digits(
        np.concatenate([part.images for part in parts]),
        np.concatenate(labels) if len(labels) == len(parts) else None,
        parts[0].source,
    )


def split(digits: Digits, share: float, *, seed: int) -> tuple[Digits, Digits | None]:
    """Cut `share` (0 <= share < 1) of the pictures off at random -> (training, validation).

    The cut is a function of the seed and of the number of pictures; the order of the training
    pictures is kept. With share 0 there is no validation part.
    """
    count = round(len(digits) * share)
    if share != 0 and not 1 <= count < len(digits):
        raise DataError(
            f"{digits.source}: expected enough images to set {share:.0%} aside for validation, "
            f"received {len(digits)}. Use more images, or a validation share of 0."
        )
    if count == 0:
        return digits, None
    order = stream(seed, "validation").permutation(len(digits))
    return digits.take(np.sort(order[count:])), digits.take(np.sort(order[:count]))


def check_images(images: ArrayLike) -> Images:
    """Any array-like of whole numbers 0..255 -> uint8 (n, 28, 28), or DataError."""
    try:
        array = np.asarray(images)
    except ValueError as error:
        raise DataError(
            f"images: expected shape (n, {SIDE}, {SIDE}), received rows of different lengths ({error}). "
            "Bring all pictures to one size."
        ) from error
    if array.ndim != 3 or array.shape[1:] != (SIDE, SIDE) or len(array) == 0:
        raise DataError(
            f"images: expected shape (n, {SIDE}, {SIDE}) with n >= 1, received {array.shape}. "
            + _shape_hint(array.shape)
        )
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind not in "iu":
        raise DataError(
            f"images: expected whole numbers 0..255 (uint8), received dtype {array.dtype}. "
            "Pixels in 0..1 become bytes with `(images * 255).round().astype('uint8')`."
        )
    _check_range(array, 0, 255, "pixel")
    return array.astype(np.uint8)


def check_labels(labels: ArrayLike) -> Labels:
    """Any array-like of whole numbers 0..9 -> uint8 (n,), or DataError."""
    array = np.asarray(labels)
    if array.ndim != 1:
        hint = (
            " One-hot rows become digits with `labels.argmax(axis=1)`." if array.ndim == 2 else ""
        )
        raise DataError(f"labels: expected shape (n,), received {array.shape}.{hint}")
    if array.dtype.kind not in "iu":
        raise DataError(
            f"labels: expected whole numbers 0..9 (uint8), received dtype {array.dtype}. "
            "Strings become numbers with `labels.astype('uint8')`."
        )
    _check_range(array, 0, CLASSES - 1, "label")
    return array.astype(np.uint8)


def _check_range(array: NDArray[np.integer], low: int, high: int, what: str) -> None:
    outside = (array < low) | (array > high)
    if outside.any():
        where = tuple(int(i) for i in np.argwhere(outside)[0])
        raise DataError(
            f"{what}s: expected {low}..{high}, received {array[where]} at index {where} "
            f"({int(outside.sum())} such values). Check the file's byte order and columns."
        )


def _shape_hint(shape: tuple[int, ...]) -> str:
    if len(shape) == 3 and shape[1:] == (8, 8):
        return (
            "8x8 pictures are scikit-learn's load_digits, not MNIST: use the data set 'uci-digits'."
        )
    if len(shape) == 2 and shape[1] == SIDE * SIDE:
        return "A row of 784 pixels becomes an image with `rows.reshape(-1, 28, 28)`."
    if shape == (SIDE, SIDE):
        return "A single image becomes a batch with `image[None]`."
    if len(shape) == 4 and shape[-1] == 1:
        return "Drop the channel axis with `images[..., 0]`."
    return "Every picture must be 28x28 grey values."


def _read_only(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    view = array.view()
    view.flags.writeable = False
    return view
