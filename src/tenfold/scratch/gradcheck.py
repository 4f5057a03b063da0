"""The proof that a gradient is right. Two laws of calculus that know nothing of how it was found.

Both take a loss as a function of one vector, in float64: float32 has too few digits to show anything.
The loss must be smooth around the point: a ReLU exactly at its kink has no gradient to check.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Loss = Callable[[Vector], float]

# The cube root of float64's precision: there the two errors of a central difference, h^2 of the
# series cut short and 1/h of rounding, are about equal (Numerical Recipes, section 5.7).
DIFFERENCE = 6e-6
# Far enough from 0 that h^2 stands above rounding, near enough that h^3 is lost beside it.
TAYLOR_STEPS = np.geomspace(1e-2, 1e-4, 5)


def central_differences(loss: Loss, at: Vector) -> Vector:
    """The gradient (p,) of `loss` at `at` (p,), one number at a time:  (L(w + h) - L(w - h)) / 2h

    Costs 2 p evaluations. Right to about 1e-9 times the size of the loss.
    """
    gradient = np.empty_like(at)
    for i in range(len(at)):
        away = np.zeros_like(at)
        away[i] = DIFFERENCE
        gradient[i] = (loss(at + away) - loss(at - away)) / (2 * DIFFERENCE)
    return gradient


def taylor_slope(loss: Loss, at: Vector, gradient: Vector, *, rng: np.random.Generator) -> float:
    """How fast |L(w + h d) - L(w) - h g.d| falls with h, for one random direction d: the slope in logarithms.

    It is 2 where g is the gradient of L at w, and drifts to 1 where it is not. Costs 6 evaluations,
    however long w is; says nothing where L is a straight line along d.
    """
    direction = rng.standard_normal(len(at))
    direction /= np.linalg.norm(direction)
    here, rise = loss(at), gradient @ direction
    left_over = [abs(loss(at + h * direction) - here - h * rise) for h in TAYLOR_STEPS]
    slope, _ = np.polyfit(np.log(TAYLOR_STEPS), np.log(left_over), 1)
    return float(slope)
