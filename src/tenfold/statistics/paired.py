"""Do two classifiers differ on the same images? McNemar's exact test."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tenfold.errors import DataError


class McNemar(NamedTuple):
    """How often only one of two classifiers was right, and how surprising that split is.

    `p_value` is the two-sided exact probability of a split at least this uneven if either were
    equally likely to be the one that is right (McNemar 1947).
    """

    only_first: int
    only_second: int
    p_value: float

    def __str__(self) -> str:
        return (
            f"only the first right {self.only_first:,}, only the second {self.only_second:,}, "
            f"p = {self.p_value:.2g}"
        )


def mcnemar(first_right: ArrayLike, second_right: ArrayLike) -> McNemar:
    """Which of the same n images each classifier got right, bool (n,) twice -> McNemar."""
    first_right, second_right = np.asarray(first_right, bool), np.asarray(second_right, bool)
    if first_right.shape != second_right.shape:
        raise DataError(
            f"paired test: expected results on the same images, received {first_right.shape} and "
            f"{second_right.shape}. Evaluate both on one data set."
        )
    only_first = int(np.count_nonzero(first_right & ~second_right))
    only_second = int(np.count_nonzero(second_right & ~first_right))
    if only_first + only_second == 0:
        return McNemar(0, 0, 1.0)
    from scipy.stats import binomtest

    p_value = binomtest(only_first, only_first + only_second).pvalue
    return McNemar(only_first, only_second, float(p_value))
