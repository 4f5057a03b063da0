"""A closer look at a finished run, for its page: how sure it is, what it can take, what it looks at, what is wrong.

All of it is asked of the run's own model about the images it was tested on, which counts as the same opening of
the test part as the test itself: nothing is chosen by it. Without a test part it is asked about the validation images. Knows nothing about HTML.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import Digits, Images, Parts, split
from tenfold.errors import ModelError
from tenfold.evaluation import (
    Diagnosis,
    Judgement,
    Robustness,
    WhiteBox,
    explain_each,
    judge,
    robustness_of,
)
from tenfold.modelfile import find_model, load_model
from tenfold.randomness import stream
from tenfold.reporting.chart import Chart, chart
from tenfold.reporting.inline import picture_uri
from tenfold.reporting.robustness_figures import EPS
from tenfold.statistics import Kept
from tenfold.training import Run, diagnose_run

# Enough to see what a change costs to within some points, and asked in a few seconds.
PICTURES = 300
ATTACKED, PGD_STEPS = 50, 10
EXPLAINED = 3
THIS = "this network"
COVERED = np.linspace(0.8, 1.0, 21)
KEPT = (1.0, 0.99, 0.98, 0.95, 0.9)


class Seen(NamedTuple):
    """One picture that was told wrongly, or if there is none rightly, and what the answer stands on.

    Attributes:
        alt: what can be seen, for who cannot see it.
        picture, occluded, smooth: PNGs as data URIs; `smooth` is "" where the model cannot be seen inside.
        sentences: what they show.
    """

    alt: str
    picture: str
    occluded: str
    smooth: str
    sentences: tuple[str, ...]


class CloserLook(NamedTuple):
    """What the page says beyond counts."""

    judged: Judgement
    reliability: Chart
    rejecting: Chart
    kept: tuple[Kept, ...]
    robustness: Robustness
    curves: tuple[Chart, ...]
    seen: tuple[Seen, ...]
    diagnosis: Diagnosis


def closer_look(
    run: Run, parts: Parts, *, seed: int | None = None, rows: Sequence[int] | None = None
) -> CloserLook | None:
    """Look at the run with the digits it was made from; None without two pictures to ask about, or without a model.

    Args:
        run: a finished one.
        parts: the digits it was trained and tested on.
        seed: decides which pictures are changed, and how; None is the run's own.
        rows: of which of the pictures the answers are explained; None is the mistakes of which it was surest, or
            where there are none the answers of which it was least sure.

    Raises:
        DataError: the digits are not those of the run.
    """
    digits = judged_part(run, parts)
    if digits is None or len(digits) < 2:
        return None
    try:
        inside = load_model(find_model(run.folder))
    except ModelError:
        return None
    seed = int(run.record["seed"]) if seed is None else seed
    judged = judge(run.classifier, digits)
    box = WhiteBox(inside.members, shifts=inside.shifts)
    robustness = robustness_of(
        run.classifier,
        by_chance(digits, PICTURES, seed),
        box=box,
        seed=seed,
        attacked=ATTACKED,
        pgd_steps=PGD_STEPS,
    )
    return CloserLook(
        judged,
        _reliability(judged),
        errors_among_the_surest({THIS: judged}),
        tuple(judged.coverage.keeping(share) for share in KEPT),
        robustness,
        curves({THIS: robustness}),
        _seen(run, box, digits, seed, _most_telling(judged) if rows is None else rows),
        diagnose_run(run.folder, parts),
    )


def judged_part(run: Run, parts: Parts) -> Digits | None:
    """What the run was judged on: the test part; without one the validation images, None where nothing was set aside."""
    if parts.test is not None:
        return parts.test
    return split(parts.train, run.recipe.validation_share, seed=int(run.record["seed"]))[1]


def by_chance(digits: Digits, most: int, seed: int) -> Digits:
    """At most `most` of the digits, in an order by chance; the source says so."""
    # By chance, and not the first: MNIST's test pictures come from two groups of writers, one after the
    # other. The order too, so that the first of these are no group either.
    rows = stream(seed, "some").permutation(len(digits))[:most]
    source = digits.source
    if len(rows) < len(digits):
        source = f"{len(rows):,} by chance of the {len(digits):,} images, {source}"
    return Digits(digits.images[rows], digits.known_labels[rows], source)


def _reliability(judged: Judgement) -> Chart:
    bins = judged.calibration.reliability
    confidence = [100 * one.confidence for one in bins]
    return chart(
        "Told right, by confidence",
        confidence,
        series={THIS: [100 * b.right.share for b in bins], "if each were true": confidence},
        text=_per_cent,
        x_label="confidence (%)",
    )


def errors_among_the_surest(judged: Mapping[str, Judgement]) -> Chart:
    """How many answers are wrong when those are left out of which each model is least sure; a line for each."""
    return chart(
        "Errors among the surest answers",
        [float(100 * share) for share in COVERED],
        series={
            name: [100 * one.coverage.keeping(float(share)).errors.share for share in COVERED]
            for name, one in judged.items()
        },
        text=_per_cent,
        floor=0.0,
        x_label="answers given (%)",
    )


def curves(found: Mapping[str, Robustness]) -> tuple[Chart, ...]:
    """What is told right of moved and attacked pictures, a chart for each way that all were asked, a line for each model."""
    lines = [{curve.name: curve for curve in one.curves} for one in found.values()]
    attacks = {curve.name for one in found.values() for curve in one.attacks}
    shared = [curve for curve in lines[0].values() if all(curve.name in one for one in lines)]
    return tuple(
        chart(
            f"Told right, by {curve.name}",
            curve.strengths,
            series={
                name: [100 * told.share for told in one[curve.name].told]
                for name, one in zip(found, lines, strict=True)
            },
            text=_per_cent,
            floor=0.0,
            x_label=EPS if curve.name in attacks else f"{curve.name} ({curve.unit})",
        )
        for curve in shared
    )


def _per_cent(value: float) -> str:
    return f"{value:.4g}%"


def _most_telling(judged: Judgement) -> Sequence[int]:
    """The rows of the mistakes of which it was surest, or of the answers of which it was least sure."""
    wrong = np.flatnonzero(~judged.right)
    order = np.argsort(
        -judged.confidences[wrong] if len(wrong) else judged.confidences, kind="stable"
    )
    return [int(row) for row in (wrong[order] if len(wrong) else order)[:EXPLAINED]]


def _seen(
    run: Run, box: WhiteBox, digits: Digits, seed: int, rows: Sequence[int]
) -> tuple[Seen, ...]:
    """The answers to these rows, explained."""
    if not rows:
        return ()
    chosen = np.array(rows)
    labels: Sequence[int | None] = [int(label) for label in digits.known_labels[chosen]]
    found = explain_each(run.classifier, digits.images[chosen], labels=labels, box=box, seed=seed)
    return tuple(
        Seen(
            f"Image {row}: labelled {one.label}, told {one.told}",
            picture_uri(one.picture),
            picture_uri(_heat(one.occluded)),
            "" if one.smooth is None else picture_uri(_heat(one.smooth)),
            tuple(one.sentences()),
        )
        for row, one in zip(rows, found, strict=True)
    )


def _heat(values: NDArray[np.float32]) -> Images:
    """Values (28, 28) about 0 -> uint8 (28, 28, 3): red above, blue below, white at 0."""
    share = np.clip(values / max(float(np.abs(values).max()), 1e-12), -1, 1)
    above, below = np.maximum(share, 0), np.maximum(-share, 0)
    colours = 1 - np.stack([below, above + below, above], axis=2) * (0.85, 0.8, 0.85)
    return np.asarray(255 * colours, np.uint8)
