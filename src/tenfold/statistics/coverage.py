"""What a classifier is worth that may stay silent: its errors among the answers it is surest of."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tenfold.errors import DataError
from tenfold.statistics.proportion import Proportion

COVERAGES = (1.0, 0.995, 0.99, 0.98, 0.95, 0.9)
"""The shares of answers that are reported on."""


class Kept(NamedTuple):
    """The answers that reach a confidence, and how many of them are wrong.

    Attributes:
        asked: the share of answers that was to be kept, 0..1.
        threshold: the confidence that all of them reach, 0..1.
        errors: the wrong ones among those kept. Where confidences are equal more may be kept than asked for: a
            threshold keeps all of the same confidence or none.
    """

    asked: float
    threshold: float
    errors: Proportion


@dataclass(frozen=True, eq=False)
class Coverage:
    """n answers in the order of their confidences, surest first.

    Attributes:
        confidences: float64 (n,), falling.
        right: bool (n,).
    """

    confidences: NDArray[np.float64]
    right: NDArray[np.bool_]

    def keeping(self, share: float) -> Kept:
        """The surest `share` of the answers, 0 < share <= 1."""
        n = len(self.right)
        if not 0 < share <= 1:
            raise DataError(
                f"coverage: expected a share above 0 and up to 1, received {share:g}. Such as 0.99."
            )
        # Less a little, because 0.07 * 100 is 7.000000000000001.
        threshold = self.confidences[max(int(np.ceil(share * n - 1e-9)), 1) - 1]
        kept = int(np.count_nonzero(self.confidences >= threshold))
        wrong = int(np.count_nonzero(~self.right[:kept]))
        return Kept(share, float(threshold), Proportion(wrong, kept))

    @cached_property
    def errors(self) -> NDArray[np.float64]:
        """float64 (n,): the share of errors among the surest 1, 2, ... n answers, 0..1.

        Answers of equal confidence have no order: this is the mean over all orders of them.
        """
        n = len(self.right)
        ends = np.flatnonzero(np.diff(self.confidences, append=-np.inf)) + 1
        wrong = np.cumsum(~self.right)[ends - 1]
        counts = np.arange(1, n + 1)
        errors: NDArray[np.float64] = np.interp(counts, [0, *ends], [0, *wrong]) / counts
        return errors

    @property
    def area(self) -> float:
        """The area under `errors` over coverage, 0..1: their mean (Geifman and El-Yaniv 2017, arXiv 1705.08500)."""
        return float(self.errors.mean())

    @property
    def best_area(self) -> float:
        """The area if every wrong answer were less sure than every right one."""
        order = np.argsort(~self.right, kind="stable")
        ideal = self.right[order]
        return Coverage(ideal.astype(np.float64), ideal).area

    def json(self) -> dict[str, Any]:
        """Plain JSON values: both areas, and the errors at COVERAGES."""
        return {
            "area": self.area,
            "best_area": self.best_area,
            "kept": [
                {
                    "asked": kept.asked,
                    "threshold": kept.threshold,
                    "errors": kept.errors.successes,
                    "total": kept.errors.total,
                    "interval": list(kept.errors.interval()),
                }
                for kept in map(self.keeping, COVERAGES)
            ],
        }


def coverage(confidences: ArrayLike, right: ArrayLike) -> Coverage:
    """confidences (n,) finite, right bool (n,), n >= 1, in any order -> Coverage.

    Raises:
        DataError: they are not that.
    """
    sure, told = np.asarray(confidences, np.float64), np.asarray(right, bool)
    if sure.ndim != 1 or sure.shape != told.shape or not len(sure) or not np.isfinite(sure).all():
        raise DataError(
            f"coverage: expected n >= 1 finite confidences and as many answers, right or not, received "
            f"{sure.shape} and {told.shape}. Give the largest probability of each row."
        )
    order = np.argsort(-sure, kind="stable")
    return Coverage(sure[order], told[order])
