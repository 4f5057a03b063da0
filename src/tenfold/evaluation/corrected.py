"""MNIST's test part by labels that people corrected, and without those they doubted, beside the official ones.

Some of MNIST's labels are wrong. Northcutt, Athalye and Mueller had people look at the 100 test images
whose labels a classifier doubted most, five people for each: 85 labels found a majority, 15 did not.
Where most saw the classifier's digit, that is the corrected label (10 images); where they saw neither
or were split, nobody can say, and the image is left out (5). The other 9,900 nobody looked at again.

Source: Northcutt, Athalye, Mueller 2021, "Pervasive Label Errors in Test Sets Destabilize Machine
Learning Benchmarks", arXiv 2103.14749; the votes, which are the facts below, are published at
labelerrors.com and github.com/cleanlab/label-errors (mturk/mnist_mturk.json).
"""

from typing import NamedTuple

import numpy as np

from tenfold.data import mnist
from tenfold.digits import Digits
from tenfold.evaluation.judgement import Judgement
from tenfold.statistics import Proportion


class Votes(NamedTuple):
    """How many of five people saw the official digit, how many the other one, how many neither."""

    official: int
    other: int
    neither: int


class Doubt(NamedTuple):
    """A test image in whose official label most people did not believe.

    `row` counts from 0 in the published order; `label` is the official digit, `other` the one that a
    classifier saw.
    """

    row: int
    label: int
    other: int
    votes: Votes

    @property
    def shows(self) -> int | None:
        """The digit that most people saw, or None where there is none."""
        return self.other if 2 * self.votes.other > sum(self.votes) else None


DOUBTS = (
    Doubt(947, label=8, other=9, votes=Votes(0, 5, 0)),
    Doubt(1621, label=0, other=6, votes=Votes(2, 3, 0)),
    Doubt(1901, label=9, other=4, votes=Votes(2, 3, 0)),
    Doubt(2130, label=4, other=9, votes=Votes(2, 2, 1)),
    Doubt(2462, label=2, other=0, votes=Votes(0, 4, 1)),
    Doubt(2597, label=5, other=3, votes=Votes(0, 4, 1)),
    Doubt(2654, label=6, other=1, votes=Votes(0, 2, 3)),
    Doubt(3520, label=6, other=4, votes=Votes(2, 0, 3)),
    Doubt(3558, label=5, other=0, votes=Votes(1, 4, 0)),
    Doubt(5937, label=5, other=3, votes=Votes(1, 3, 1)),
    Doubt(6651, label=0, other=6, votes=Votes(0, 5, 0)),
    Doubt(6783, label=1, other=6, votes=Votes(2, 3, 0)),
    Doubt(8527, label=4, other=9, votes=Votes(2, 2, 1)),
    Doubt(9679, label=6, other=3, votes=Votes(2, 0, 3)),
    Doubt(9729, label=5, other=6, votes=Votes(2, 3, 0)),
)


def corrected(judged: Judgement, digits: Digits) -> Proportion | None:
    """Images told correctly by the corrected labels, of the 9,995 that have one.

    Args:
        judged: what a Classifier said of `digits`.
        digits: any. Only MNIST's test part, whole and in its published order, has corrected labels; it
            is known by its hash, so no other pictures can be taken for it.

    Returns:
        None where the digits are not MNIST's test part.
    """
    if digits.hash != mnist.TEST_HASH:
        return None
    right = judged.right.copy()
    for doubt in DOUBTS:
        right[doubt.row] = judged.predicted_labels[doubt.row] == doubt.shows
    left_out = [doubt.row for doubt in DOUBTS if doubt.shows is None]
    counted = np.delete(right, left_out)
    return Proportion(int(counted.sum()), len(counted))


def cleaned(judged: Judgement, digits: Digits) -> Proportion | None:
    """Images told correctly of the 9,985 whose official label most people believed, or nobody doubted.

    Args:
        judged: what a Classifier said of `digits`.
        digits: as for `corrected`.

    Returns:
        None where the digits are not MNIST's test part.
    """
    if digits.hash != mnist.TEST_HASH:
        return None
    counted = np.delete(judged.right, [doubt.row for doubt in DOUBTS])
    return Proportion(int(counted.sum()), len(counted))
