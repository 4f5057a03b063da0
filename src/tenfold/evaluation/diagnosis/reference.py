"""Real digits to hold pictures against: what they show, how strange they are, which way up they stand.

The reference is the 5,000 digits of `mnist5k`, which are installed with tenfold. Nothing is trained:
see `probe`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tenfold.data import load
from tenfold.digits import CLASSES, Digits, Images, joined
from tenfold.evaluation.diagnosis import probe

Whole = NDArray[np.int64]

AS_THEY_ARE = "as they are"
TURNS: dict[str, Callable[[Images], Images]] = {
    AS_THEY_ARE: lambda p: p,
    "transposed": lambda p: p.transpose(0, 2, 1),
    "turned by 90 degrees": lambda p: np.rot90(p, 1, (1, 2)),
    "turned by 180 degrees": lambda p: p[:, ::-1, ::-1],
    "turned by 270 degrees": lambda p: np.rot90(p, 3, (1, 2)),
    "mirrored left to right": lambda p: p[:, :, ::-1],
    "mirrored top to bottom": lambda p: p[:, ::-1],
    "transposed across the other diagonal": lambda p: p[:, ::-1, ::-1].transpose(0, 2, 1),
}
"""The eight ways to lay a square; what each undoes is what it does, but for the two quarter turns."""


@dataclass(frozen=True, eq=False)
class Reference:
    """Gaussians of real digits.

    Attributes:
        components: principal components of their pictures.
        gaussians: one for each digit.
        residual: mean squared distance of a real digit from its components.
        confusion: (10, 10), row = digit, column = told: shares among real digits that were left out.
    """

    components: probe.Components
    gaussians: probe.Gaussians
    residual: float
    confusion: NDArray[np.float64]

    def told(self, pictures: Images) -> Whole:
        """Pictures (n, 28, 28) -> the digit each looks most like (n,)."""
        return self.gaussians.told(self.components(pictures))

    def strangeness(self, pictures: Images) -> float:
        """How far from real digits pictures are, by the median one: about 1 for digits as MNIST has them.

        Half of it is how far a picture is from its nearest class inside the components (squared, a
        component), half how much of it the components cannot draw, each in units of a real digit's.
        """
        z = self.components(pictures)
        distance = np.min(
            [
                (((z - mean) @ whitener) ** 2).sum(axis=1)
                for mean, whitener in zip(
                    self.gaussians.means, self.gaussians.whiteners, strict=True
                )
            ],
            axis=0,
        )
        inside = np.median(distance) / z.shape[1]
        return float((inside + np.median(_residual(self.components, pictures)) / self.residual) / 2)

    def likeness(self, pictures: Images) -> NDArray[np.float32]:
        """Pictures (n, 28, 28) -> (n,): how much like a digit each looks, in nats up to a constant.

        What the components cannot draw weighs 10 nats for as much of it as a real digit has: so set,
        84 of 100 transposed digits are beyond 10 nats, and of real ones less than 1.
        """
        inside = self.gaussians.scores(self.components(pictures)).max(axis=1)
        likeness: NDArray[np.float32] = inside - 10 * _residual(
            self.components, pictures
        ) / np.float32(self.residual)
        return likeness

    def best_turn(self, pictures: Images) -> tuple[str, float, float]:
        """(the turn after which pictures are least strange, how strange then, how strange as they are)."""
        strange = {name: self.strangeness(turn(pictures)) for name, turn in TURNS.items()}
        best = min(strange, key=lambda name: strange[name])
        return best, strange[best], strange[AS_THEY_ARE]


@lru_cache(maxsize=1)
def sample() -> tuple[Digits, Digits]:
    """`mnist5k`: 4,000 digits and 1,000 others."""
    train, test = load("mnist5k", say=lambda _: None)
    return train, test or train


@lru_cache(maxsize=1)
def reference() -> Reference:
    """The Reference of `mnist5k`."""
    digits = joined(sample())
    pictures, labels = digits.images, digits.known_labels.astype(np.int64)
    components = probe.components(pictures)
    z = components(pictures)
    gaussians = probe.fit(z, labels)
    if gaussians is None:  # mnist5k holds 500 of each digit
        raise AssertionError("mnist5k")
    told, _ = probe.told_by_others(z, labels)
    table = np.bincount(labels * CLASSES + told, minlength=CLASSES**2).reshape(CLASSES, CLASSES)
    residual = float(np.median(_residual(components, pictures)))
    return Reference(components, gaussians, residual, table / table.sum(axis=1, keepdims=True))


def _residual(components: probe.Components, pictures: Images) -> NDArray[np.float32]:
    """(n,): squared distance of each picture from what its components draw."""
    rows = pictures.reshape(len(pictures), -1).astype(np.float32) / components.scale
    away = rows - components.mean
    residual: NDArray[np.float32] = (away**2).sum(axis=1) - ((away @ components.axes) ** 2).sum(
        axis=1
    )
    return residual
