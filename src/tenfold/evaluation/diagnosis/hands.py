"""Digits that are judged but were written, or made into pictures, otherwise than those a network learnt from."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from tenfold.digits import joined
from tenfold.evaluation.diagnosis.evidence import FEWEST, Evidence
from tenfold.evaluation.diagnosis.findings import Finding
from tenfold.evaluation.diagnosis.inputs import Part
from tenfold.evaluation.diagnosis.pictures import in_the_middle, levelled
from tenfold.evaluation.diagnosis.reference import reference, sample

# Parts of 300 and more of MNIST lie within 2.3 nats of one another; digits of other people, scanned and brought to MNIST's
# form, at -3.3 to -3.7 (Swiss writers), -6 (optdigits) and -14 (semeion).
OTHER = -2.8
# Parts of MNIST lie from -2.2 to 0.3 of the reference itself, those of other people below -4.5.
OF_MNIST = -3.0
# The share of the judged that is lost at least, for sure.
COSTLY = 0.03


def other_hand(evidence: Evidence) -> Iterator[Finding]:
    """Judged digits that are less like digits than the training ones, and that the model tells worse for it."""
    ours = evidence.answers(evidence.train)
    for part in evidence.others:
        theirs = evidence.answers(part)
        if (
            ours is None
            or theirs is None
            or not theirs.accuracy.total
            or not is_other(evidence, part)
        ):
            continue
        lost = ours.accuracy.interval()[0] - theirs.accuracy.interval()[1]
        if lost > COSTLY and evidence.as_digits(part)[0] > 0.5:
            yield Finding(
                "other_hand",
                0.8,
                f"The digits of {part.name} are less like digits than those of train, by {-_apart(evidence, part):.1f} nats in "
                f"the median picture, where parts of one data set differ by 2.3 at most; the model tells "
                f"{theirs.accuracy.share:.1%} of them, and {ours.accuracy.share:.1%} of train. Other people wrote them, or they "
                "were made into pictures otherwise.",
                "from tenfold.pictures import canonical\n"
                f"x_{part.name} = np.stack([canonical(picture) for picture in pictures])   # from the pictures as they were taken\n"
                "# and train on digits like these, or on MNIST's each moved, turned and thickened a little",
                {"nats": _apart(evidence, part), "lost": lost},
            )


def is_other(evidence: Evidence, part: Part) -> bool:
    """Whether the digits of a part are clearly less like digits than the training ones, and than MNIST's: beside training
    pictures with noise or blur clean ones are so too."""
    if part is evidence.train or like_mnist(evidence, part):
        return False
    return _apart(evidence, part) < OTHER


def like_mnist(evidence: Evidence, part: Part) -> bool:
    """Whether the digits of a part are as like digits as MNIST's: so that real digits know which of them look alike."""
    theirs = _likelihood(evidence, part)
    return theirs is not None and theirs > _of_mnist() + OF_MNIST


@lru_cache(maxsize=1)
def _of_mnist() -> float:
    scores = reference().gaussians.scores(reference().components(joined(sample()).images))
    return float(np.median(scores.max(axis=1)))


def _apart(evidence: Evidence, part: Part) -> float:
    """How much likelier the median picture of a part is, among real digits, than that of the training part, in nats."""
    theirs, ours = _likelihood(evidence, part), _likelihood(evidence, evidence.train)
    return 0.0 if theirs is None or ours is None else theirs - ours


def _likelihood(evidence: Evidence, part: Part | None) -> float | None:
    """That of the median picture, once all lie, stand and shine as MNIST's do; None of few pictures, or none."""
    pictures = evidence.pictures(part)
    if part is None or pictures is None or len(pictures) < FEWEST:
        return None

    def measure() -> float:
        made = levelled(in_the_middle(evidence.upright(part, pictures)))
        scores = reference().gaussians.scores(reference().components(made))
        return float(np.median(scores.max(axis=1)))

    return evidence.once(("likelihood", part.name), measure)
