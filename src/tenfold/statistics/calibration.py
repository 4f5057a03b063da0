"""Are probabilities true? Of what is said with 90 %, nine in ten should be right.

Probabilities and labels in, figures out: proper scores, the calibration error of the answer given with
what chance alone would make of it, the reliability curve, and the temperature that would mend most.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tenfold.errors import DataError
from tenfold.statistics.difference import SIGNIFICANT
from tenfold.statistics.proportion import Proportion

# Probabilities are clipped here before their logarithm, so that one certain mistake costs 16.1 and not
# infinity; 1e-7 is what float32 can still tell from 0 beside 1 (and Keras's own epsilon).
SMALLEST_PROBABILITY = 1e-7
# The number of bins of Guo et al. 2017.
BINS = 15
# Of as many draws the 95 % point lies between the 93.6 % and the 96.4 % point, 95 times in 100.
DRAWS = 1_000
# Rows of probabilities are sums of float32 numbers, and some programs print few decimals.
_SUM_TOLERANCE = 1e-2


class Bin(NamedTuple):
    """Answers of similar confidence.

    Attributes:
        low, high: the lowest and the highest confidence among them, 0..1.
        confidence: the mean of their confidences, 0..1.
        right: how many of them were right; its `interval()` is Wilson's.
    """

    low: float
    high: float
    confidence: float
    right: Proportion


class Chance(NamedTuple):
    """The calibration error that chance alone makes of perfect calibration.

    Attributes:
        mean: what to expect, 0..1.
        high: 95 of 100 such errors are not above it.
        p_value: the share of draws with an error at least as large as the one that was measured.
    """

    mean: float
    high: float
    p_value: float


@dataclass(frozen=True, eq=False)
class Calibration:
    """What probabilities are worth, beyond the answers they lead to.

    Attributes:
        probabilities: float64 (n, k), rows sum to 1.
        labels: intp (n,) in 0..k-1.
    """

    probabilities: NDArray[np.float64]
    labels: NDArray[np.intp]

    @cached_property
    def log_loss(self) -> float:
        """Mean of -log(probability of the label), in nats; 0 is perfect, log(k) knows nothing."""
        return float(log_losses(self.probabilities, self.labels).mean())

    @cached_property
    def brier(self) -> float:
        """Mean squared distance to the truth, summed over the classes, 0..2 (Brier 1950)."""
        of_label = self.probabilities[np.arange(len(self.labels)), self.labels]
        squares = np.square(self.probabilities).sum(axis=1)
        return float((squares - 2 * of_label + 1).mean())

    @cached_property
    def reliability(self) -> tuple[Bin, ...]:
        """Up to 15 bins of equally many answers (by one), the least confident first."""
        confidences, right = self._by_confidence
        edges = _edges(len(confidences))
        return tuple(
            Bin(
                low=float(confidences[start]),
                high=float(confidences[end - 1]),
                confidence=float(confidences[start:end].mean()),
                right=Proportion(int(right[start:end].sum()), int(end - start)),
            )
            for start, end in zip(edges[:-1], edges[1:], strict=True)
        )

    @cached_property
    def error(self) -> float:
        """The expected calibration error of the answers, 0..1: mean distance of confidence and accuracy.

        The mean over the bins of `reliability`, by their counts (Naeini et al. 2015; Guo et al. 2017,
        arXiv 1706.04599). Equal counts, because nearly all confidences of a good classifier lie
        between 99 % and 100 %, where bins of equal width would leave all others empty.
        """
        confidences, right = self._by_confidence
        return _error(right, confidences)

    @cached_property
    def chance(self) -> Chance:
        """The error that a perfectly calibrated classifier with these confidences would show.

        Each answer is drawn right with the probability of its confidence, 1,000 times from a fixed
        seed (consistency resampling: Broecker and Smith 2007; Vaicenavicius et al. 2019, arXiv
        1902.06977). The p-value counts what was measured as one draw (Phipson and Smyth 2010).
        """
        confidences, _ = self._by_confidence
        rng = np.random.default_rng(0)
        drawn = np.empty(DRAWS)
        for number in range(DRAWS):
            right = rng.random(len(confidences)) < confidences
            drawn[number] = _error(right, confidences)
        as_large = int(np.count_nonzero(drawn >= self.error))
        p_value = (as_large + 1) / (DRAWS + 1)
        return Chance(float(drawn.mean()), float(np.quantile(drawn, 0.95)), p_value)

    @cached_property
    def temperature(self) -> float:
        """What the logits would have to be divided by for the lowest log loss on these very images, 1/8..8.

        Above 1 the classifier is too sure, below 1 not sure enough (Guo et al. 2017). It is chosen on
        what it is judged on: of a test part it says how far off the probabilities are, and is no setting to take over.
        """
        from scipy.optimize import minimize_scalar

        def log_loss(log_temperature: float) -> float:
            return self._log_loss_at(float(np.exp(log_temperature)))

        bounds = (-np.log(8), np.log(8))
        found = minimize_scalar(log_loss, bounds=bounds, method="bounded", options={"xatol": 1e-3})
        return float(np.exp(found.x))

    @property
    def temperature_in_words(self) -> str:
        """It is only looked for between 1/8 and 8; without a mistake, the smallest would always be the best."""
        if self.temperature < 0.126:
            return "1/8 or less"
        return "8 or more" if self.temperature > 7.9 else f"{self.temperature:.2f}"

    @property
    def fault(self) -> Literal["too sure", "not sure enough"] | None:
        """What is wrong with the confidences; None where chance alone often makes as large an error."""
        if self.chance.p_value >= SIGNIFICANT:
            return None
        return "too sure" if self.temperature > 1 else "not sure enough"

    @cached_property
    def log_loss_at_temperature(self) -> float:
        """The log loss that `temperature` would give."""
        return self._log_loss_at(self.temperature)

    @property
    def tempered(self) -> NDArray[np.float64]:
        """The probabilities with their logits divided by `temperature`, float64 (n, k)."""
        return np.exp(self._logs_at(self.temperature))

    def json(self) -> dict[str, Any]:
        """Plain JSON values, the reliability curve with the 95 % interval of each bin."""
        return {
            "log_loss": self.log_loss,
            "brier": self.brier,
            "error": self.error,
            "chance": self.chance._asdict(),
            "temperature": self.temperature,
            "log_loss_at_temperature": self.log_loss_at_temperature,
            "reliability": [
                {
                    "low": bin_.low,
                    "high": bin_.high,
                    "confidence": bin_.confidence,
                    "right": bin_.right.successes,
                    "total": bin_.right.total,
                    "interval": list(bin_.right.interval()),
                }
                for bin_ in self.reliability
            ],
        }

    @cached_property
    def _by_confidence(self) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Confidences (n,) in rising order, and whether each answer is right."""
        confidences = self.probabilities.max(axis=1)
        order = np.argsort(confidences, kind="stable")
        right = self.probabilities.argmax(axis=1) == self.labels
        return confidences[order], right[order]

    def _log_loss_at(self, temperature: float) -> float:
        return float(-self._logs_at(temperature)[np.arange(len(self.labels)), self.labels].mean())

    def _logs_at(self, temperature: float) -> NDArray[np.float64]:
        from scipy.special import log_softmax

        logits = np.log(np.maximum(self.probabilities, SMALLEST_PROBABILITY)) / temperature
        logs: NDArray[np.float64] = log_softmax(logits, axis=1)
        return logs


def calibration(probabilities: ArrayLike, labels: ArrayLike) -> Calibration:
    """probabilities (n, k) in 0..1, rows sum to 1; labels (n,) whole numbers 0..k-1 -> Calibration.

    Raises:
        DataError: they are not that; the message says in what.
    """
    rows, answers = np.asarray(probabilities, np.float64), np.asarray(labels)
    if rows.ndim != 2 or not rows.size or answers.shape != rows.shape[:1]:
        raise DataError(
            f"calibration: expected probabilities (n, k) and labels (n,) with n >= 1, received {rows.shape} "
            f"and {answers.shape}. Give what `predict_proba` says and the labels of the same images."
        )
    if not np.isfinite(rows).all() or np.abs(rows.sum(axis=1) - 1).max() > _SUM_TOLERANCE or (rows < 0).any():  # fmt: skip
        raise DataError(
            f"probabilities: expected rows in 0..1 that sum to 1, received numbers from {rows.min():g} to "
            f"{rows.max():g}. Logits become probabilities with scipy.special.softmax(logits, axis=1)."
        )
    if answers.dtype.kind not in "iu" or answers.min() < 0 or answers.max() >= rows.shape[1]:
        raise DataError(
            f"labels: expected whole numbers 0..{rows.shape[1] - 1}, received {answers.dtype} from "
            f"{answers.min()} to {answers.max()}. One class is one column of the probabilities."
        )
    return Calibration(rows, answers.astype(np.intp))


def log_losses(
    probabilities: NDArray[np.floating], labels: NDArray[np.integer]
) -> NDArray[np.float64]:
    """probabilities (n, k), labels (n,) -> -log(probability of the label) of each, float64 (n,), at most 16.1."""
    of_labels = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    losses: NDArray[np.float64] = -np.log(np.maximum(of_labels, SMALLEST_PROBABILITY))
    return losses


def _edges(n: int) -> NDArray[np.intp]:
    """Where bins of n answers begin and end: (bins + 1,), from 0 to n."""
    return np.linspace(0, n, min(BINS, n) + 1).round().astype(np.intp)


def _error(right: NDArray[np.bool_], confidences: NDArray[np.float64]) -> float:
    """Bool (n,) and confidences (n,), in rising order -> the calibration error."""
    sums = np.add.reduceat(right - confidences, _edges(len(confidences))[:-1])
    return float(np.abs(sums).sum() / len(confidences))
