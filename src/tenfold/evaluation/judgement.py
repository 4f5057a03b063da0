"""How good a Classifier is on labelled digits: in all, for each class, and what it takes for what."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import CLASSES, Classifier, Digits, Labels, Probabilities
from tenfold.statistics import Proportion

# Probabilities are clipped here before their logarithm, so that one certain mistake costs 16.1 and not
# infinity; 1e-7 is what float32 can still tell from 0 beside 1 (and Keras's own epsilon).
SMALLEST_PROBABILITY = 1e-7


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a Classifier said of n labelled images.

    Attributes:
        labels: uint8 (n,), what the images are said to show.
        predicted_labels: uint8 (n,), the most probable digit (the lower one of a tie).
        confidences: float32 (n,), the probability of that digit.
        log_loss: mean of -log(probability of the label), in nats.
    """

    labels: Labels
    predicted_labels: Labels
    confidences: NDArray[np.float32]
    log_loss: float

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


def judge(classifier: Classifier, digits: Digits) -> Judgement:
    """Ask the classifier about every image; DataError where the digits have no labels."""
    labels = digits.known_labels
    return judgement_of(classifier.predict_proba(digits.images), labels)


def judgement_of(probabilities: Probabilities, labels: Labels) -> Judgement:
    """probabilities float (n, 10), labels uint8 (n,) -> Judgement."""
    predicted_labels = probabilities.argmax(axis=1).astype(np.uint8)
    rows = np.arange(len(labels))
    of_labels = probabilities[rows, labels].astype(np.float64)
    log_loss = float(-np.log(np.maximum(of_labels, SMALLEST_PROBABILITY)).mean())
    return Judgement(labels, predicted_labels, probabilities[rows, predicted_labels], log_loss)
