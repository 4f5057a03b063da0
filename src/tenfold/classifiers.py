"""Classifiers made of Classifiers: the mean over a picture moved about, and the mean over several.

NumPy over whatever has predict_proba, and each wraps the other. Knows nothing about networks or
files; the graph of a model that is composed so, and its exports, are held against these.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import SIDE, Classifier, Images, Probabilities, check_images
from tenfold.errors import UsageError
from tenfold.values import check_whole

# MNIST's digits fill a box of 20 x 20 in 28 x 28 (LeCun et al. 1998, section III-A): beyond this
# margin a shift cuts ink off.
MAX_SHIFT = 4

Pixel = TypeVar("Pixel", bound=np.generic)


def places(pixels: int) -> tuple[tuple[int, int], ...]:
    """How far (down, right) a picture is moved: not at all, and `pixels` up, down, left and right.

    A cross and not the whole square: the corners would nearly double the cost. For 0 there is one place.
    """
    sides = (-pixels, 0), (pixels, 0), (0, -pixels), (0, pixels)
    return ((0, 0), *sides) if pixels else ((0, 0),)


def moved(images: NDArray[Pixel], down: int, right: int) -> NDArray[Pixel]:
    """Pictures (n, 28, 28) of any dtype moved by at most MAX_SHIFT pixels, 0 where nothing comes in."""
    padded = np.pad(images, ((0, 0), (MAX_SHIFT, MAX_SHIFT), (MAX_SHIFT, MAX_SHIFT)))
    top, left = MAX_SHIFT - down, MAX_SHIFT - right
    return padded[:, top : top + SIDE, left : left + SIDE]


@dataclass(frozen=True)
class Shifted:
    """The mean of what a classifier says of a picture and of the same picture moved to each side.

    Five times the work of the classifier alone; see `places`.

    Attributes:
        classifier: what is asked.
        pixels: how far the picture is moved up, down, left and right, 0..4; 0 asks about the picture alone.

    Raises:
        UsageError: `classifier` is none, or `pixels` is not such a number.
    """

    classifier: Classifier
    pixels: int = 1

    def __post_init__(self) -> None:
        _check_classifier("Shifted", self.classifier)
        check_whole("Shifted.pixels", self.pixels, 0, MAX_SHIFT)

    def predict_proba(self, images: Images) -> Probabilities:
        """images uint8 (n, 28, 28) -> float32 (n, 10), rows sum to 1; DataError for other images."""
        images = check_images(images)
        return _mean(
            self.classifier.predict_proba(moved(images, *place)) for place in places(self.pixels)
        )


@dataclass(frozen=True)
class Ensemble:
    """The mean of what several classifiers say: `Ensemble(first, second)`. Each counts the same.

    Attributes:
        members: at least one classifier.

    Raises:
        UsageError: there is no member, or one is no classifier.
    """

    members: tuple[Classifier, ...]

    def __init__(self, *members: Classifier) -> None:
        if not members:
            raise UsageError(
                "Ensemble: expected at least one classifier, received none. Give them as Ensemble(first, second)."
            )
        for member in members:
            _check_classifier("Ensemble", member)
        object.__setattr__(self, "members", members)

    def predict_proba(self, images: Images) -> Probabilities:
        """images uint8 (n, 28, 28) -> float32 (n, 10), rows sum to 1; DataError for other images."""
        images = check_images(images)
        return _mean(member.predict_proba(images) for member in self.members)


def _mean(answers: Iterable[Probabilities]) -> Probabilities:
    mean: Probabilities = np.mean(list(answers), axis=0, dtype=np.float32)
    return mean


def _check_classifier(what: str, value: object) -> None:
    if not callable(getattr(value, "predict_proba", None)):
        raise UsageError(
            f"{what}: expected something with predict_proba, received {type(value).__name__}. "
            "`tenfold.open_classifier` makes it of a run or a model; several are given one by one."
        )
