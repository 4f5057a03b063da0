"""What the page about a run shows of its mistakes, and what it advises: values, no layout.

Knows nothing about HTML; a picture is given as the bytes of a PNG, written out as text.
"""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tenfold.data import KINDS
from tenfold.digits import CLASSES, Digits
from tenfold.evaluation import Judgement
from tenfold.recipes import RECIPES
from tenfold.reporting.inline import picture_uri
from tenfold.training import EpochResult, Run

MOST_PAIRS = 8
MOST_MISTAKES = 24

# An epoch's validation loss moves by some per cent from chance alone; beyond a tenth it has turned.
OVERFITTED = 1.1


class Cell(NamedTuple):
    """An entry of the confusion matrix; `heat` is its share of the largest mistake, 0..1, 0 if right."""

    images: int
    heat: float


class Mistake(NamedTuple):
    """One image told wrongly.

    Attributes:
        row: of the part that was judged.
        label, told: digits.
        confidence: the probability of the digit told.
        of_label: the probability of the label; None where only the answers were kept.
        picture: a data URI, empty where the image is not at hand.
    """

    row: int
    label: int
    told: int
    confidence: float
    of_label: float | None
    picture: str


def confusion_cells(judged: Judgement) -> list[list[Cell]]:
    """10 rows (labels) of 10 cells (predicted labels)."""
    table = judged.confusion
    largest = max(int((table - np.diag(np.diag(table))).max()), 1)
    return [
        [
            Cell(int(table[i, j]), 0.0 if i == j else int(table[i, j]) / largest)
            for j in range(CLASSES)
        ]
        for i in range(CLASSES)
    ]


def worst_mistakes(judged: Judgement, digits: Digits | None) -> list[Mistake]:
    """The mistakes of which the model was surest first, at most MOST_MISTAKES; equal ones by row."""
    wrong = np.flatnonzero(~judged.right)
    worst = wrong[np.argsort(-judged.confidences[wrong], kind="stable")][:MOST_MISTAKES]
    return [
        Mistake(
            row=int(row),
            label=int(judged.labels[row]),
            told=int(judged.predicted_labels[row]),
            confidence=float(judged.confidences[row]),
            of_label=None
            if judged.probabilities is None
            else float(judged.probabilities[row, judged.labels[row]]),
            picture="" if digits is None else picture_uri(digits.images[row]),
        )
        for row in worst
    ]


def reproduction(run: Run) -> str | None:
    """The command that trains the same again, or None where recipe or data have no name a command knows."""
    record = run.record
    named = RECIPES.get(record["recipe"]["name"])
    if named is None or record["data"]["name"].partition(":")[0] not in KINDS:
        return None
    recipe = named.recipe
    words = ["tenfold", "train", "--recipe", record["recipe"]["name"]]
    words += ["--data", record["data"]["name"], "--seed", str(record["seed"])]
    if run.recipe.epochs != recipe.epochs:
        words += ["--epochs", str(run.recipe.epochs)]
    if run.recipe.engine != recipe.engine:
        words += ["--engine", run.recipe.engine]
    if run.recipe.engine == "keras":
        words += ["--backend", record["backend"]]
    changed = replace(recipe, epochs=run.recipe.epochs, engine=run.recipe.engine)
    return shlex.join(words) if changed == run.recipe else None


def advice(run: Run, judged: Judgement | None) -> list[str]:
    """What the figures suggest to do next, in sentences."""
    sentences = [] if run.recipe.early_stopping else _about_length(run.history)
    if judged is not None and (pairs := judged.most_confused):
        sentences.append(
            f"Look at the {pairs[0].label}s that were taken for {pairs[0].told}s: could you tell them? "
            "Where you can, the network can learn to; where you cannot, the label may be wrong."
        )
    sentences.append(
        "Train again with another seed: how much the accuracy moves is how much of it is luck."
    )
    return sentences


def _about_length(history: Sequence[EpochResult]) -> list[str]:
    losses = [r.validation_loss for r in history if r.validation_loss is not None]
    if len(losses) < 2:
        return []
    best = 1 + losses.index(min(losses))
    if losses[-1] > OVERFITTED * min(losses):
        return [
            f"The validation loss was lowest after epoch {best:,} of {len(losses):,} and rose afterwards: "
            "the network went on learning the training images by heart (overfitting). Train for fewer "
            "epochs, or add dropout."
        ]
    if best == len(losses):
        return ["The validation loss was still falling in the last epoch: more epochs may help."]
    return []
