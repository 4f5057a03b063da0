"""Several runs of the same thing -> their mean, spread and what the mean is likely to be."""

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from tenfold.errors import DataError


class Summary(NamedTuple):
    """n values: mean, sample standard deviation, extremes, 95 % t-interval of the mean.

    With one value, sd and interval are NaN: one run says nothing about spread.
    """

    n: int
    mean: float
    sd: float
    minimum: float
    median: float
    maximum: float
    low: float
    high: float


def summarise(values: Sequence[float]) -> Summary:
    """At least one finite number -> Summary, in the unit of the values."""
    if not values or not all(math.isfinite(value) for value in values):
        raise DataError(f"summary: expected at least one finite number, received {list(values)}.")
    n, mean = len(values), statistics.fmean(values)
    sd, half = math.nan, math.nan
    if n > 1:
        from scipy.stats import t

        sd = statistics.stdev(values)
        half = float(t.ppf(0.975, n - 1)) * sd / math.sqrt(n)
    return Summary(
        n=n,
        mean=mean,
        sd=sd,
        minimum=min(values),
        median=statistics.median(values),
        maximum=max(values),
        low=mean - half,
        high=mean + half,
    )
