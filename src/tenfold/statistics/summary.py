"""Several runs of the same thing -> their mean, spread and what the mean is likely to be."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

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

    def json(self) -> dict[str, Any]:
        """Plain JSON values; null for the spread that one value does not have."""
        return without_nan(self._asdict())


def without_nan(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with None, JSON's null, for NaN, which JSON lacks."""
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in fields.items()
    }


def summarise(values: Sequence[float]) -> Summary:
    """At least one finite number -> Summary, in the unit of the values."""
    values = [float(value) for value in values]
    if not values or not all(math.isfinite(value) for value in values):
        raise DataError(f"summary: expected at least one finite number, received {values}.")
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
