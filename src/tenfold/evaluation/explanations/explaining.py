"""All that concerns one picture: what was told, and what in the picture the answer stands on; in words too."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import Classifier, Images, Probabilities
from tenfold.evaluation.explanations.likeness import Neighbour, Neighbourhood
from tenfold.evaluation.explanations.occlusion import PATCH_PIXELS, occlusion
from tenfold.evaluation.explanations.slopes import input_slopes, smooth_slopes
from tenfold.evaluation.whitebox import WhiteBox
from tenfold.randomness import stream

Heat = NDArray[np.float32]

# Where a patch costs less than this, an answer does not stand on it.
MATTERS = 0.05


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a model told what it told of one picture.

    Attributes:
        picture: uint8 (28, 28), as the model saw it.
        probabilities: float32 (10,).
        label: what it is said to show; None where nobody has said.
        occluded: float32 (28, 28), how much the told digit's probability falls where a patch is blanked.
        slopes: float32 (28, 28), nats of its log-probability for each step of a pixel; None where the model
            cannot be seen inside.
        smooth: the same as SmoothGrad gives it; None likewise.
        neighbours: the nearest training pictures in the last hidden layer, nearest first; empty likewise.
    """

    picture: Images
    probabilities: Probabilities
    label: int | None
    occluded: Heat
    slopes: Heat | None
    smooth: Heat | None
    neighbours: tuple[Neighbour, ...]

    @property
    def told(self) -> int:
        """The most probable digit."""
        return int(self.probabilities.argmax())

    def sentences(self) -> list[str]:
        """What the figures show, each in a sentence."""
        return [self._answer(), self._patch(), *self._likeness()]

    def json(self) -> dict[str, Any]:
        """Plain JSON values, the pictures left out."""
        row, column = (
            int(i) for i in np.unravel_index(self.occluded.argmax(), self.occluded.shape)
        )
        return {
            "told": self.told,
            "label": self.label,
            "probabilities": [float(p) for p in self.probabilities],
            "most_costly_patch": {"row": row, "column": column, "fall": float(self.occluded.max())},
            "neighbours": [
                {"row": n.row, "label": n.label, "distance": n.distance} for n in self.neighbours
            ],
            "sentences": self.sentences(),
        }

    def _answer(self) -> str:
        first, second = np.argsort(-self.probabilities, kind="stable")[:2]
        said = ""
        if self.label is not None:
            right = "and it is right" if self.label == first else "so it is wrong"
            said = f"; the label says {self.label}, {right}"
        return (
            f"The model tells {_a(first)} ({self.probabilities[first]:.1%}), next {_a(second)} "
            f"({self.probabilities[second]:.1%}){said}."
        )

    def _patch(self) -> str:
        fall = float(self.occluded.max())
        patch = f"{PATCH_PIXELS}x{PATCH_PIXELS} patch"
        if fall < MATTERS:
            return f"No single {patch} matters: blanking the worst one costs {fall:.1%} of probability."
        row, column = np.unravel_index(self.occluded.argmax(), self.occluded.shape)
        return (
            f"It stands most on the {patch} around row {row}, column {column}: blanked, the {self.told} "
            f"loses {fall:.1%} of probability."
        )

    def _likeness(self) -> list[str]:
        if not self.neighbours:
            return []
        counts = Counter(n.label for n in self.neighbours).most_common()
        listed = ", ".join(f"{times} of digit {label}" for label, times in counts)
        count = len(self.neighbours)
        return [f"The {count} training pictures it holds to be most alike: {listed}."]


def _a(digit: int) -> str:
    return f"an {digit}" if digit == 8 else f"a {digit}"


def explain_each(
    classifier: Classifier,
    images: Images,
    *,
    labels: Sequence[int | None],
    box: WhiteBox | None = None,
    neighbourhood: Neighbourhood | None = None,
    seed: int = 0,
) -> list[Explanation]:
    """Explain the answer to each picture.

    Args:
        classifier: what is explained.
        images: uint8 (n, 28, 28), a few.
        labels: n of them, None where nobody has said.
        box: the same model from inside; None leaves the slopes out.
        neighbourhood: the training pictures as that model sees them; None leaves the neighbours out.
        seed: decides the noise of SmoothGrad.
    """
    probabilities = classifier.predict_proba(images)
    told = probabilities.argmax(axis=1).astype(np.uint8)
    occluded = occlusion(classifier, images, told)
    slopes = input_slopes(box, images, told) if box else None
    chance = stream(seed, "smooth slopes")
    smooth = smooth_slopes(box, images, told, chance=chance) if box else None
    alike = neighbourhood.nearest(images) if neighbourhood else [[] for _ in images]
    return [
        Explanation(
            picture=images[i],
            probabilities=probabilities[i],
            label=labels[i],
            occluded=occluded[i],
            slopes=None if slopes is None else slopes[i],
            smooth=None if smooth is None else smooth[i],
            neighbours=tuple(alike[i]),
        )
        for i in range(len(images))
    ]
