"""A Classifier and labelled digits -> how much of its accuracy is left when the pictures are not as they were."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import Classifier, Digits, Images
from tenfold.errors import DataError
from tenfold.evaluation.robustness.attacks import STEPS, fgsm, pgd
from tenfold.evaluation.robustness.corruptions import CORRUPTIONS
from tenfold.evaluation.robustness.placing import moved_by, scaled, turned
from tenfold.evaluation.whitebox import WhiteBox
from tenfold.randomness import stream
from tenfold.statistics import Proportion, Summary, summarise

SHIFTS = (0, 1, 2, 3, 4, 5, 6)
TURNS = (-60, -45, -30, -15, 0, 15, 30, 45, 60)
SCALES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4)
EPSILONS = (0.0, 0.1, 0.2, 0.3)

# PGD asks for hundreds of gradients of a picture, all else together for some forty answers: so by
# default fewer pictures are attacked than corrupted.
ATTACKED = 200

Right = NDArray[np.bool_]


class Corrupted(NamedTuple):
    """What was told right of the pictures under one corruption."""

    name: str
    told: Proportion


class Curve(NamedTuple):
    """What was told right at each strength of one change.

    Attributes:
        name: the change, such as "rotation".
        unit: of the strengths, such as "degrees".
        strengths: ascending; the pictures as they are among them.
        told: one for each strength.
    """

    name: str
    unit: str
    strengths: tuple[float, ...]
    told: tuple[Proportion, ...]


@dataclass(frozen=True)
class Robustness:
    """What a Classifier tells right of the same n pictures, as they are and changed.

    Attributes:
        source: where the pictures come from, and which of them were taken.
        hash: of their content.
        seed: what decided about chance.
        clean: the pictures as they are.
        corruptions: the fifteen of MNIST-C, in the paper's order.
        corruption_error: the mean over all corruptions of the share told wrongly, 0..1, and its 95 % interval
            over pictures: each counts once, with its share of the fifteen. Not divided by that of another model.
        placings: curves of shift (pixels), rotation (degrees), scale (times the size).
        attacks: curves of FGSM and PGD (eps as a share of the range of a pixel) over the first of the
            pictures; none where the model cannot be seen inside. A picture told wrongly at a smaller eps counts as told wrongly at a larger one, as
            it is in reach there too.
    """

    source: str
    hash: str
    seed: int
    clean: Proportion
    corruptions: tuple[Corrupted, ...]
    corruption_error: Summary
    placings: tuple[Curve, ...]
    attacks: tuple[Curve, ...]

    @property
    def curves(self) -> tuple[Curve, ...]:
        """All curves: placings, then attacks."""
        return self.placings + self.attacks

    def table(self) -> list[tuple[str, str]]:
        """Rows of two cells: what was done, and what was told right."""
        error = self.corruption_error
        mean = f"{error.mean:.2%} (95 % CI {error.low:.2%} to {error.high:.2%})"
        rows = [("as they are", str(self.clean))]
        rows += [(name, str(told)) for name, told in self.corruptions]
        rows += [("mean corruption error", mean)]
        for name, unit, strengths, told in self.curves:
            rows += [
                (f"{name} {strength:g} {unit}", str(share))
                for strength, share in zip(strengths, told, strict=True)
            ]
        return rows

    def json(self) -> dict[str, Any]:
        """Plain JSON values; every share with its counts and its interval."""
        return {
            "data": {"source": self.source, "hash": self.hash},
            "seed": self.seed,
            "clean": _json(self.clean),
            "corruptions": {name: _json(told) for name, told in self.corruptions},
            "corruption_error": self.corruption_error.json(),
            "curves": [
                {"name": name, "unit": unit}
                | {"points": [{"at": x} | _json(y) for x, y in zip(at, told, strict=True)]}
                for name, unit, at, told in self.curves
            ],
        }


def robustness_of(
    classifier: Classifier,
    digits: Digits,
    *,
    box: WhiteBox | None = None,
    seed: int = 0,
    attacked: int = ATTACKED,
    pgd_steps: int = STEPS,
) -> Robustness:
    """Ask the classifier about every picture as it is and under every change.

    Args:
        classifier: what is asked, about attacked pictures too.
        digits: labelled pictures, two at least.
        box: the same model from inside, which the attacks need; None leaves them out.
        seed: decides what chance does to each picture.
        attacked: at most so many of the pictures are attacked, the first; 0 for none.
        pgd_steps: steps of PGD.

    Raises:
        DataError: the digits have no labels, or there are fewer than two.
    """
    labels = digits.known_labels
    if len(digits) < 2:
        raise DataError(f"{digits.source}: expected at least two pictures, received {len(digits)}.")

    def right(images: Images) -> Right:
        told: Right = np.equal(classifier.predict_proba(images).argmax(axis=1), labels)
        return told

    clean = right(digits.images)
    attacks: tuple[Curve, ...] = ()
    if box and attacked:
        first = digits.take(np.arange(min(attacked, len(digits))))
        attacks = _attacks(
            classifier, first, clean[: len(first)], box=box, seed=seed, steps=pgd_steps
        )
    corrupted = np.stack(
        [
            right(corrupt(digits.images, stream(seed, "corruption", name), 1.0))
            for name, corrupt in CORRUPTIONS.items()
        ]
    )
    return Robustness(
        source=digits.source,
        hash=digits.hash,
        seed=seed,
        clean=_share(clean),
        corruptions=tuple(
            Corrupted(name, _share(row)) for name, row in zip(CORRUPTIONS, corrupted, strict=True)
        ),
        corruption_error=summarise((1 - corrupted.mean(axis=0)).tolist()),
        placings=_placings(digits.images, right, seed),
        attacks=attacks,
    )


def _placings(images: Images, right: Callable[[Images], Right], seed: int) -> tuple[Curve, ...]:
    """Each picture is moved up, down, left or right as chance has it, the same way at every distance."""
    way = stream(seed, "way").integers(4, size=len(images))
    down, right_hand = np.array([-1, 1, 0, 0])[way], np.array([0, 0, -1, 1])[way]

    def curve(
        name: str, unit: str, at: Sequence[float], change: Callable[[float], Images]
    ) -> Curve:
        return Curve(name, unit, tuple(at), tuple(_share(right(change(x))) for x in at))

    return (
        curve("shift", "pixels", SHIFTS, lambda x: moved_by(images, x * down, x * right_hand)),
        curve("rotation", "degrees", TURNS, lambda x: turned(images, x)),
        curve("scale", "times", SCALES, lambda x: scaled(images, x)),
    )


def _attacks(
    classifier: Classifier, digits: Digits, clean: Right, *, box: WhiteBox, seed: int, steps: int
) -> tuple[Curve, ...]:
    def by_fgsm(rows: NDArray[np.intp], eps: float) -> Images:
        return fgsm(box, digits.images[rows], digits.known_labels[rows], eps=eps)

    def by_pgd(rows: NDArray[np.intp], eps: float) -> Images:
        # Thousandths, since a name in a stream is a word or a whole number.
        chance = stream(seed, "pgd", round(eps * 1000))
        labels = digits.known_labels[rows]
        return pgd(box, digits.images[rows], labels, eps=eps, chance=chance, steps=steps)

    curves = []
    for name, attack in (("FGSM", by_fgsm), (f"PGD ({steps} steps)", by_pgd)):
        withstood, told = clean.copy(), [_share(clean)]
        for eps in EPSILONS[1:]:
            rows = np.flatnonzero(withstood)
            if len(rows):
                answers = classifier.predict_proba(attack(rows, eps)).argmax(axis=1)
                withstood[rows] = np.equal(answers, digits.known_labels[rows])
            told.append(_share(withstood))
        curves.append(Curve(name, "of the range", EPSILONS, tuple(told)))
    return tuple(curves)


def _share(right: Right) -> Proportion:
    return Proportion(int(right.sum()), len(right))


def _json(told: Proportion) -> dict[str, int | float]:
    low, high = told.interval()
    return {"correct": told.successes, "total": told.total, "low": low, "high": high}
