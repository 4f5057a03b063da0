"""Which pictures a model holds to be alike: nearest in its last hidden layer, and all of them on a map.

Distances are Euclidean between what the last layer looks at (`WhiteBox.hidden`); neighbours and maps are
scikit-learn's. Knows nothing about pictures beyond that.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import Digits, Images, Labels
from tenfold.errors import DataError
from tenfold.evaluation.whitebox import WhiteBox

NEIGHBOURS = 8
# t-SNE's own default (van der Maaten & Hinton 2008: between 5 and 50), which needs more pictures than that.
PERPLEXITY = 30
FEWEST_ON_MAP = 3 * PERPLEXITY


class Neighbour(NamedTuple):
    """A picture that the model holds to be like another.

    Attributes:
        row: its place among the digits that were searched.
        label: what it is said to show.
        distance: in the last hidden layer.
        picture: uint8 (28, 28).
    """

    row: int
    label: int
    distance: float
    picture: Images


class Neighbourhood:
    """Digits laid out by what the last layer sees of them, to be searched many times.

    Args:
        box: the model.
        digits: labelled pictures that may be found.

    Raises:
        DataError: the digits have no labels.
    """

    def __init__(self, box: WhiteBox, digits: Digits) -> None:
        from sklearn.neighbors import NearestNeighbors

        self._box, self._digits, self._labels = box, digits, digits.known_labels
        self._search = NearestNeighbors().fit(box.hidden(digits.images))

    def nearest(self, images: Images, *, count: int = NEIGHBOURS) -> list[list[Neighbour]]:
        """images uint8 (n, 28, 28) -> for each its `count` nearest, nearest first; fewer where there are fewer."""
        count = min(count, len(self._digits))
        distances, rows = self._search.kneighbors(self._box.hidden(images), count)
        return [
            [
                Neighbour(
                    int(row), int(self._labels[row]), float(distance), self._digits.images[row]
                )
                for row, distance in zip(of_one, far, strict=True)
            ]
            for of_one, far in zip(rows, distances, strict=True)
        ]


@dataclass(frozen=True, eq=False)
class DigitMap:
    """Pictures on a plane, such that those the model holds to be alike lie together.

    Attributes:
        places: float64 (n, 2). Nearness means something, directions and far distances do not.
        labels: uint8 (n,).
        predicted_labels: uint8 (n,), what the model told.
        method: how it was made, with its seed, in words.
    """

    places: NDArray[np.float64]
    labels: Labels
    predicted_labels: Labels
    method: str


def map_of(box: WhiteBox, digits: Digits, *, seed: int) -> DigitMap:
    """t-SNE of what the last layer sees of labelled pictures (van der Maaten & Hinton 2008).

    Begins with the first two principal components, so that the seed decides little.

    Raises:
        DataError: the digits have no labels, or are fewer than 90.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    labels = digits.known_labels
    if len(digits) < FEWEST_ON_MAP:
        raise DataError(
            f"{digits.source}: expected at least {FEWEST_ON_MAP} pictures for a map, received {len(digits)}."
        )
    tsne = TSNE(perplexity=PERPLEXITY, init="pca", random_state=seed % 2**32)
    # One thread: a thousand pictures gain little by more, and lose much where the machine is busy.
    # Tiny affinities become 0, which is what they are for.
    with np.errstate(under="ignore"), threadpool_limits(1):
        places = tsne.fit_transform(box.hidden(digits.images)).astype(np.float64)
    told = box.predict_proba(digits.images).argmax(axis=1).astype(np.uint8)
    method = (
        f"t-SNE of the last hidden layer, perplexity {PERPLEXITY}, started from PCA, seed {seed}"
    )
    return DigitMap(places, labels, told, method)
