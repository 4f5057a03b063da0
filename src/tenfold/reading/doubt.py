"""Which of the digits of a line are none: what the model says of each, and what the line and its words say of all.

A reader that cuts what touches makes strokes of letters, and a stroke is surely a 1 to a model that sees it alone.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tenfold.reading.lattice import Reading

STROKES = (1, 7)
"""What a model takes a straight stroke for."""

# How much likelier (in nats) a reading is in a line of letters than in one of digits: one that is no digit (half of
# those, one in 50 of these), a stroke (four in ten; two), another digit (one in ten; eight). docs/experiments.md
NO_DIGIT, STROKE, OTHER = 3.2, 0.7, -2.0
# And how much rarer lines of letters are, where digits are looked for. One strange digit makes no letters of a line.
RARER, AT_LEAST = 3.0, 2
# Between a word and what stands beside it there is at least so much room, in heights of the line's middle digit.
APART = 1.0


def rejections(line: Sequence[Reading], reject_below: float) -> NDArray[np.bool_]:
    """The readings of a line -> bool (n,), which of them are no digits.

    Args:
        line: from left to right.
        reject_below: the confidence below which the model says so; with 0, nothing is rejected.
    """
    if not line or reject_below <= 0:
        return np.zeros(len(line), bool)
    said = np.stack([one.probabilities for one in line])
    unsure = said.max(axis=1) < reject_below
    stroke = np.isin(said.argmax(axis=1), STROKES)
    rejected = unsure | _of_cut_letters(line, unsure | stroke)
    weights = np.select([rejected, stroke], [NO_DIGIT, STROKE], OTHER)
    said_of_all: NDArray[np.bool_] = rejected.copy()
    words = _words(line)
    for part in (words >= 0, *(words == word for word in range(words[-1] + 1))):
        if rejected[part].sum() >= AT_LEAST and weights[part].sum() > RARER:
            said_of_all[part] = True
    return said_of_all


def _words(line: Sequence[Reading]) -> NDArray[np.intp]:
    """The number of each reading's word on its line, 0, 1, ...: intp (n,)."""
    starts = np.array([one.piece.left for one in line])
    ends = np.maximum.accumulate(starts + [one.piece.width for one in line])
    height = np.median([one.piece.height for one in line])
    return np.cumsum(np.append(False, starts[1:] - ends[:-1] > APART * height))


def _of_cut_letters(line: Sequence[Reading], strokes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which readings are parts of a piece of which nothing but strokes and no digits was made.

    Of two digits that touch, one in 25 is such a pair; of letters that were cut, nine in ten.
    """
    wholes = np.array([one.piece.whole for one in line])
    of_letters = [
        whole >= 0 and (wholes == whole).sum() > 1 and bool(strokes[wholes == whole].all())
        for whole in wholes
    ]
    return np.array(of_letters, bool)
