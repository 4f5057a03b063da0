"""How good a Classifier is on labelled digits: in all, for each class, what it takes for what, and how well it knows."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import CLASSES, Classifier, Digits, Labels, Probabilities
from tenfold.errors import DataError
from tenfold.statistics import (
    Calibration,
    Coverage,
    Proportion,
    calibration,
    coverage,
    log_losses,
)


class Confused(NamedTuple):
    """A digit that was taken for another, and how often."""

    label: int
    told: int
    images: int


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a Classifier said of n labelled images.

    Attributes:
        labels: uint8 (n,), what the images are said to show.
        predicted_labels: uint8 (n,), the most probable digit (the lower one of a tie).
        confidences: float32 (n,), the probability of that digit.
        log_loss: mean of -log(probability of the label), in nats.
        probabilities: float (n, 10), all that was said; None where only the answers were kept, as in a
            run's folder.
    """

    labels: Labels
    predicted_labels: Labels
    confidences: NDArray[np.float32]
    log_loss: float
    probabilities: Probabilities | None = None

    @property
    def right(self) -> NDArray[np.bool_]:
        """Bool (n,): which images were told correctly."""
        return np.equal(self.predicted_labels, self.labels)

    @property
    def accuracy(self) -> Proportion:
        """The share of images told correctly."""
        return Proportion(int(self.right.sum()), len(self.labels))

    @property
    def per_class(self) -> tuple[Proportion, ...]:
        """For each digit 0..9: how many of its images were told correctly (the recall)."""
        table = self.confusion
        return tuple(Proportion(int(table[d, d]), int(table[d].sum())) for d in range(CLASSES))

    @property
    def confusion(self) -> NDArray[np.int64]:
        """int64 (10, 10): row = label, column = predicted label, entry = images."""
        pairs = self.labels.astype(np.int64) * CLASSES + self.predicted_labels
        return np.bincount(pairs, minlength=CLASSES**2).reshape(CLASSES, CLASSES)

    @property
    def most_confused(self) -> list[Confused]:
        """Every digit that was taken for another, the commonest first; equal ones in the order of their digits."""
        table = self.confusion * ~np.eye(CLASSES, dtype=bool)
        pairs = [Confused(int(i), int(j), int(table[i, j])) for i, j in np.argwhere(table)]
        return sorted(pairs, key=lambda pair: -pair.images)

    @cached_property
    def coverage(self) -> Coverage:
        """The errors that are left when the least confident answers are not given."""
        return coverage(self.confidences, self.right)

    @cached_property
    def calibration(self) -> Calibration:
        """Whether the probabilities are true; DataError where they were not kept, or are none."""
        if self.probabilities is None:
            raise DataError(
                "calibration: expected a judgement with probabilities, received one of which only the "
                "answers were kept. Ask the model again: tenfold.evaluate(MODEL)."
            )
        return calibration(self.probabilities, self.labels)


def judge(classifier: Classifier, digits: Digits) -> Judgement:
    """Ask the classifier about every image; DataError where the digits have no labels."""
    labels = digits.known_labels
    return judgement_of(classifier.predict_proba(digits.images), labels)


def judgement_of(probabilities: Probabilities, labels: Labels) -> Judgement:
    """probabilities float (n, 10), labels uint8 (n,) -> Judgement."""
    predicted_labels = probabilities.argmax(axis=1).astype(np.uint8)
    confidences = probabilities[np.arange(len(labels)), predicted_labels]
    log_loss = float(log_losses(probabilities, labels).mean())
    return Judgement(labels, predicted_labels, confidences, log_loss, probabilities)
