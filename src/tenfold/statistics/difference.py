"""Do two recipes differ, each run with several seeds? By how much, and how surprising is it?

Where both were run with the same seeds, their runs are compared pair by pair; otherwise as two samples.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from tenfold.errors import DataError
from tenfold.statistics.summary import Summary, summarise, without_nan

# A difference is only called one below this: with 0.05, one pair of equals in twenty would be told apart.
SIGNIFICANT = 0.01

FEWEST_PAIRS = next(n for n in range(1, 64) if 2 ** (1 - n) < SIGNIFICANT)
"""With fewer pairs no sign-flip test finds a difference, however large: both extreme patterns of signs
are two of 2**n."""


class Difference(NamedTuple):
    """How much larger the first's mean is than the second's, in the unit of the values.

    Attributes:
        test: "paired" (exact sign flips) or "welch" (Welch's t-test).
        n: values of the first and of the second.
        mean: the difference of the means; positive where the first's is larger.
        low, high: the 95 % t-interval of `mean`; NaN where there are too few values or they do not vary.
        p_value: two-sided; NaN where no test can be made.
        sd: of the differences of pairs; unpaired, the root of the mean of both variances. NaN of too few values.
    """

    test: Literal["paired", "welch"]
    n: tuple[int, int]
    mean: float
    low: float
    high: float
    p_value: float
    sd: float

    @property
    def found(self) -> bool:
        """Whether the difference may be called one."""
        return self.p_value < SIGNIFICANT

    def json(self) -> dict[str, Any]:
        """Plain JSON values; null for what there is not."""
        return without_nan(self._asdict()) | {"n": list(self.n)}


def paired_difference(first: Sequence[int], second: Sequence[int], *, total: int) -> Difference:
    """Counts of right answers, each of `total`, pair by pair of one seed -> Difference of the shares, 0..1.

    Raises:
        DataError: no pair, or not as many of one as of the other.
    """
    if len(first) != len(second):
        raise DataError(
            f"paired test: expected as many values of the first as of the second, received {len(first)} "
            f"and {len(second)}. Give both the same seeds."
        )
    differences = [a - b for a, b in zip(first, second, strict=True)]
    summary = summarise([difference / total for difference in differences])
    p_value = sign_flip(differences)
    n = (len(first), len(second))
    return Difference("paired", n, summary.mean, summary.low, summary.high, p_value, summary.sd)


def sign_flip(differences: Sequence[int]) -> float:
    """The two-sided p-value of Fisher's randomisation test, exact for any number of whole numbers.

    If the two of a pair are exchangeable, every difference is as likely to have the other sign. Of all
    2**n patterns of signs this is the share whose sum is at least as far from 0 as the one received
    (Fisher 1935, section 21). Wilcoxon's test would look at ranks alone, and is not exact with the ties
    and zeros that counts of right answers have.
    """
    sizes = [abs(difference) for difference in differences]
    # The chance of each sum over a random subset: turning the signs of a subset with sum s, of
    # differences that are all positive, leaves sum(sizes) - 2 s.
    chances = np.zeros(sum(sizes) + 1)
    chances[0] = 1.0
    for size in sizes:
        moved = np.roll(chances, size)  # what would wrap around has no chance yet
        chances = (chances + moved) / 2
    sums = sum(sizes) - 2 * np.arange(len(chances))
    as_far = np.abs(sums) >= abs(sum(differences))
    return min(1.0, float(chances[as_far].sum()))


def welch_difference(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Two independent samples -> Difference of their means, variances not taken to be equal (Welch 1947).

    Interval and p-value are NaN where a sample has one value, or neither varies.

    Raises:
        DataError: a sample without values.
    """
    a, b = summarise(first), summarise(second)
    mean, n = a.mean - b.mean, (a.n, b.n)
    squares = a.sd**2 / a.n, b.sd**2 / b.n
    variance, sd = sum(squares), math.sqrt((a.sd**2 + b.sd**2) / 2)
    if not variance > 0:  # 0, or the NaN of a single value
        return Difference("welch", n, mean, math.nan, math.nan, math.nan, sd)
    freedom = variance**2 / sum(_shares_of_freedom(squares, (a, b)))
    from scipy.stats import t

    half = float(t.ppf(0.975, freedom)) * math.sqrt(variance)
    p_value = 2 * float(t.sf(abs(mean) / math.sqrt(variance), freedom))
    return Difference("welch", n, mean, mean - half, mean + half, p_value, sd)


def _shares_of_freedom(
    squares: tuple[float, float], samples: tuple[Summary, Summary]
) -> list[float]:
    return [square**2 / (sample.n - 1) for square, sample in zip(squares, samples, strict=True)]
