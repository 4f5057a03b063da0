"""Which labels are likely to be wrong? Confident learning over what a classifier says of the images.

Probabilities and labels in, doubts out, worst first. Where they come from is for the caller to say:
`out_of_fold` asks, about each image, a classifier that was trained without it.

Source: Northcutt, Jiang and Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels",
JAIR 70, arXiv 1911.00068, sections 3.1 (the confident joint) and 3.2 (its off-diagonal entries).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import CLASSES, Classifier, Digits, Labels, Probabilities, fingerprints
from tenfold.errors import DataError, UsageError
from tenfold.randomness import stream
from tenfold.statistics import calibration

# Below it no two probabilities are told apart: the last digit of float32 beside 1.
_SMALLEST = 1e-7


class Issue(NamedTuple):
    """A label in doubt.

    Attributes:
        row: of the image, from 0.
        label: what the image is said to show.
        other: the most probable digit beside the label.
        of_label, of_other: the probabilities of both, 0..1, after the temperature of the audit.
        confident: whether `other` is at least as probable as a digit is on average on its own images.
    """

    row: int
    label: int
    other: int
    of_label: float
    of_other: float
    confident: bool


@dataclass(frozen=True, eq=False)
class Audit:
    """What a classifier makes of the labels of n images.

    Attributes:
        labels: uint8 (n,), the ones under audit.
        probabilities: float64 (n, 10), with the temperature that suits these labels best.
        temperature: the one they were given, 1/8..8. A network that was trained with smoothed labels
            never says more than 0.95; without this its thresholds would be out of reach.
    """

    labels: Labels
    probabilities: NDArray[np.float64]
    temperature: float

    @cached_property
    def thresholds(self) -> NDArray[np.float64]:
        """float64 (10,): how probable each digit is on average on images with its label; infinite without any."""
        of_label = self.probabilities[np.arange(len(self.labels)), self.labels]
        counts = np.bincount(self.labels, minlength=CLASSES)
        sums = np.bincount(self.labels, weights=of_label, minlength=CLASSES)
        return np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)

    @cached_property
    def confidently(self) -> NDArray[np.int64]:
        """int64 (n,): the most probable of the digits that reach their threshold, -1 where none does."""
        reaching = np.where(self.probabilities >= self.thresholds, self.probabilities, -1.0)
        return np.where(reaching.max(axis=1) >= 0, reaching.argmax(axis=1), -1)

    @cached_property
    def joint(self) -> NDArray[np.int64]:
        """The confident joint, int64 (10, 10): row = label, column = what the image confidently shows."""
        counted = self.confidently >= 0
        pairs = self.labels[counted].astype(np.int64) * CLASSES + self.confidently[counted]
        return np.bincount(pairs, minlength=CLASSES**2).reshape(CLASSES, CLASSES)

    @cached_property
    def estimated(self) -> NDArray[np.float64]:
        """`joint`, each row scaled to the images with its label, float64 (10, 10); its sum is n."""
        counts = np.bincount(self.labels, minlength=CLASSES)[:, None]
        sums = self.joint.sum(axis=1, keepdims=True)
        # A label that no image confidently shows, or shows otherwise, is taken as it stands.
        scaled = self.joint * counts / np.maximum(sums, 1)
        return np.where(sums > 0, scaled, np.diag(counts[:, 0]))

    @property
    def estimated_faults(self) -> float:
        """About how many labels are wrong: what stands off the diagonal of `estimated`, 0..n."""
        return float(self.estimated.sum() - np.trace(self.estimated))

    @cached_property
    def ranking(self) -> NDArray[np.intp]:
        """intp (n,): all rows, the most doubtful label first, equal ones by row.

        By how many times more probable the other digit is than the label. This order, other than that
        of the label's probability or of the margin, is the same for any temperature; on planted faults
        in MNIST's training part it was the best of the three or near it (docs/experiments.md).
        """
        of_label, _, of_other = self._rivals
        times = np.log(np.maximum(of_other, _SMALLEST)) - np.log(np.maximum(of_label, _SMALLEST))
        return np.argsort(-times, kind="stable")

    @cached_property
    def issues(self) -> tuple[Issue, ...]:
        """Every image for which another digit is at least as probable as its label, in the order of `ranking`."""
        of_label, other, of_other = self._rivals
        return tuple(
            Issue(
                row=int(row),
                label=int(self.labels[row]),
                other=int(other[row]),
                of_label=float(of_label[row]),
                of_other=float(of_other[row]),
                confident=bool(self.confidently[row] not in (-1, self.labels[row])),
            )
            for row in self.ranking
            if of_other[row] >= of_label[row]
        )

    @cached_property
    def _rivals(self) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.float64]]:
        """Each label's probability (n,), the most probable other digit (n,), and its probability (n,)."""
        rows = np.arange(len(self.labels))
        others = self.probabilities.copy()
        others[rows, self.labels] = -1.0
        other = others.argmax(axis=1)
        return self.probabilities[rows, self.labels], other, others[rows, other]


def audit_labels(digits: Digits, probabilities: Probabilities) -> Audit:
    """Hold the labels of digits against what a classifier says of them.

    Args:
        digits: n labelled images.
        probabilities: float (n, 10) in 0..1, rows sum to 1. From a classifier that has not been trained on these
            digits, or it doubts too little: one that learnt a wrong label by heart finds it right.

    Raises:
        DataError: the digits have no labels, or the probabilities are none or of other images.
    """
    labels = digits.known_labels
    if probabilities.shape != (len(digits), CLASSES):
        raise DataError(
            f"audit: expected probabilities of shape ({len(digits)}, {CLASSES}), received {probabilities.shape}. "
            "Give what `predict_proba` says of these digits."
        )
    judged = calibration(probabilities, labels)
    return Audit(labels, judged.tempered, judged.temperature)


def out_of_fold(
    digits: Digits,
    fit: Callable[[Digits], Classifier],
    *,
    folds: int = 5,
    seed: int = 0,
) -> Probabilities:
    """What classifiers say of images they were not trained on -> float32 (n, 10).

    Args:
        digits: n labelled images.
        fit: trains on the digits it is given -> a Classifier; called `folds` times.
        folds: parts that the images are dealt into, each label evenly; 2 or more. Each part is asked about
            once, of the classifier trained on the others. Equal pictures come into one part.
        seed: of the dealing.

    Raises:
        UsageError: there are not 2 folds, or more than different pictures.
        DataError: the digits have no labels.
    """
    parts = _dealt(digits, folds, seed=seed)
    probabilities = np.empty((len(digits), CLASSES), np.float32)
    for part in range(folds):
        held_out = np.flatnonzero(parts == part)
        classifier = fit(digits.take(np.flatnonzero(parts != part)))
        probabilities[held_out] = classifier.predict_proba(digits.images[held_out])
    return probabilities


def _dealt(digits: Digits, folds: int, *, seed: int) -> NDArray[np.intp]:
    """The part of each image, (n,) in 0..folds-1: label by label in a random order, one card to each in turn."""
    _, first, picture = np.unique(
        fingerprints(digits.images), return_index=True, return_inverse=True
    )
    if not 2 <= folds <= len(first):
        raise UsageError(
            f"folds: expected 2 to {len(first):,} (there are so many different pictures), received {folds}. "
            "Five are usual."
        )
    order = stream(seed, "folds").permutation(len(first))
    labels = digits.known_labels[first]
    by_label = order[np.argsort(labels[order], kind="stable")]
    parts = np.empty(len(first), np.intp)
    parts[by_label] = np.arange(len(first)) % folds
    return parts[picture]
