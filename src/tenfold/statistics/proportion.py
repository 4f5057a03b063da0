"""A proportion that never travels without its count and its interval."""

import math
from statistics import NormalDist
from typing import NamedTuple

# The two-sided 95 % point of the normal distribution, 1.95996...
Z = NormalDist().inv_cdf(0.975)


class Proportion(NamedTuple):
    """`successes` of `total`, 0 <= successes <= total.

    Prints as "99.12% (9,912/10,000; 95 % CI 98.92% to 99.29%)".
    """

    successes: int
    total: int

    @property
    def share(self) -> float:
        """successes / total in 0..1; NaN of none."""
        return self.successes / self.total if self.total else math.nan

    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson score interval, in 0..1 (Wilson 1927): sound at 0 % and 100 % too; NaN of none."""
        if not self.total:
            return math.nan, math.nan
        n, p = self.total, self.share
        centre = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
        half = Z / (1 + Z**2 / n) * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
        # Of none or all of them one end is exact, but for rounding.
        low = centre - half if self.successes else 0.0
        return low, centre + half if self.successes < n else 1.0

    def __str__(self) -> str:
        if not self.total:
            return "none (0/0)"
        low, high = self.interval()
        count = f"{self.successes:,}/{self.total:,}"
        return f"{self.share:.2%} ({count}; 95 % CI {low:.2%} to {high:.2%})"
