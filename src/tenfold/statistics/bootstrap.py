"""How far may the mean of paired differences be from the one seen? The bootstrap over images."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tenfold.errors import DataError

# The ends of a 95 % interval need a thousand resamples or more (Efron and Tibshirani 1993, section 14.6).
RESAMPLES = 2_000
_AT_A_TIME = 100


class Resampled(NamedTuple):
    """The mean of n differences, first - second, and the 95 % percentile interval of the bootstrap."""

    n: int
    mean: float
    low: float
    high: float

    def json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return self._asdict()


def paired_bootstrap(first: ArrayLike, second: ArrayLike, *, seed: int = 0) -> Resampled:
    """What two models have for each of the same n images, (n,) twice -> the mean of first - second.

    For accuracy the values are whether each image was told right, for log loss its loss. Images are drawn
    again, both models' values together (Efron 1979; `scipy.stats.bootstrap`). It speaks of other
    images for these two models, not of other seeds.

    Raises:
        DataError: fewer than two images, not the same number, or values that are not finite.
    """
    values = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if values[0].shape != values[1].shape or values[0].ndim != 1 or len(values[0]) < 2:
        raise DataError(
            f"paired bootstrap: expected values for the same n >= 2 images, received {values[0].shape} and "
            f"{values[1].shape}. Evaluate both on one data set."
        )
    differences = values[0] - values[1]
    if not np.isfinite(differences).all():
        raise DataError(
            "paired bootstrap: expected finite values, received NaN or infinity. Clip probabilities before "
            "their logarithm."
        )
    from scipy.stats import bootstrap

    found = bootstrap(
        (differences,),
        np.mean,
        n_resamples=RESAMPLES,
        batch=_AT_A_TIME,
        method="percentile",
        random_state=np.random.default_rng(seed),
    ).confidence_interval
    return Resampled(
        len(differences), float(differences.mean()), float(found.low), float(found.high)
    )
