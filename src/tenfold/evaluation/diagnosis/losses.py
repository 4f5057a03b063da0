"""Causes in what a network was compiled with: a loss for other labels or answers, an accuracy that is none."""

from collections.abc import Iterator

import numpy as np

from tenfold.evaluation.diagnosis import inside
from tenfold.evaluation.diagnosis.compiled import EXACT_ACCURACY, TOP_ACCURACY
from tenfold.evaluation.diagnosis.evidence import Evidence
from tenfold.evaluation.diagnosis.findings import Finding
from tenfold.evaluation.diagnosis.models import Model
from tenfold.evaluation.diagnosis.outcome import below_reach
from tenfold.evaluation.diagnosis.structure import ONE_BATCH, compiled_anew, first_answers, units_of

DISTANCES = ("squared", "absolute", "hinge", "huber", "poisson", "cosine", "log_cosh")


def wrong_loss(evidence: Evidence) -> Iterator[Finding]:
    """A loss for another form of labels, or for another task."""
    model, train = evidence.model, evidence.train
    if model is None or not model.loss or model.kind != "keras":
        return
    units = units_of(evidence)
    if units is not None and units < 2:
        return
    form = train.form if train is not None else "none"
    # The arrays here need not be those that were trained on.
    if (
        model.loss == "categorical_crossentropy"
        and form in ("whole", "column")
        and _trained_well(evidence)
    ):
        return
    why = _unfit(evidence, model.loss, form) or _what_an_own_loss_rewards(evidence)
    if why:
        fix = compiled_anew(evidence)
        # Yes or no of each class, and squared distances to one-hot rows, are least where the answer is right: they may cost
        # nothing, as any loss may with which the network has learnt what it could.
        costs = evidence.answers(train) is None or below_reach(evidence)
        sure = 0.9 if model.loss == "categorical_crossentropy" else 0.95
        yield Finding("wrong_loss", sure, f"The loss is {model.loss}: {why}.", fix, fault=costs)


def _unfit(evidence: Evidence, loss: str, form: str) -> str:
    """Why a loss of Keras's is not for labels of this form, or not for classes; "" where it is."""
    if loss == "sparse_categorical_crossentropy" and form in ("one-hot", "bad one-hot"):
        return "it expects whole numbers, and y is one-hot"
    if loss == "categorical_crossentropy" and form in ("whole", "column"):
        return "it expects one-hot rows, and y holds whole numbers"
    if loss.startswith("binary") and evidence.classes > 2:
        return "it takes ten classes for ten questions of yes or no"
    if any(word in loss for word in DISTANCES):
        return (
            "it compares outputs with one-hot rows number by number; a cross-entropy learns classes faster"
            if form in ("one-hot", "bad one-hot")
            else "it measures distances between numbers; that 7 stands nearer to 8 than to 1 means nothing"
        )
    if "kl_divergence" in loss and form in ("whole", "column"):
        return "it expects distributions, and y holds whole numbers"
    return ""


def _what_an_own_loss_rewards(evidence: Evidence) -> str:
    """What is wrong with a loss that is none of Keras's: it ignores labels, or is lower for wrong answers; "" where it is sound.

    It is asked what a network costs that is right about every row, and what one that is wrong about each.
    """
    train, answers = evidence.train, evidence.answers(evidence.train)
    if train is None or train.labels is None or answers is None or evidence.model is None:
        return ""
    classes, rows = answers.outputs.shape[1], train.rows(ONE_BATCH)
    labels = train.labels[rows]
    if not inside.has_own_loss(evidence.model) or not 0 <= labels.min() <= labels.max() < classes:
        return ""
    # As logits they are sure enough; as probabilities they sum to 1.
    told = np.eye(classes)[[labels, (labels + 1) % classes]]
    surely = 0.9 * told + 0.1 / classes if answers.are_probabilities else 6 * told - 3
    y = train.y[rows] if train.form == "one-hot" and train.y is not None else labels
    right, wrong = (inside.loss_of(evidence.model, y, outputs) for outputs in surely)
    if right is None or wrong is None or not np.isfinite([right, wrong]).all():
        return ""
    if abs(right - wrong) < 1e-6 * max(1.0, abs(right)):
        return f"it is {right:.4g} for a network that is right about every row, and as much for one that is wrong about each"
    if right > wrong:
        return f"it is {right:.4g} for a network that is right about every row, and only {wrong:.4g} for one that is wrong about each"
    return ""


def _trained_well(evidence: Evidence) -> bool:
    answers = first_answers(evidence)
    return answers is not None and answers.accuracy.total > 0 and answers.accuracy.share > 0.8


def wrong_metric(evidence: Evidence) -> Iterator[Finding]:
    """An accuracy that counts each of ten outputs as an answer of its own, or none of them."""
    model, history = evidence.model, evidence.history
    named = model is not None and "binary_accuracy" in model.metrics
    train = evidence.train
    answers = first_answers(evidence)
    if evidence.classes <= 2 or (answers is not None and answers.outputs.shape[1] < 2):
        return
    shown = None
    if history is not None:
        for values in (history.validation_accuracy, history.accuracy):
            shown = (
                float(values[-1]) if shown is None and values is not None and len(values) else shown
            )
    judged = evidence.answers(evidence.parts.get("validation")) or answers
    true = judged.accuracy if judged is not None and judged.accuracy.total else None
    said = (
        f" It showed {shown:.2%}; recounted, the accuracy is {true}."
        if shown is not None and true
        else ""
    )
    if named or (history is not None and history.binary):
        yield Finding(
            "wrong_metric",
            0.97,
            f"binary_accuracy counts each of the ten outputs: a network that always answers 'none' has 90 % of it.{said}",
            compiled_anew(evidence),
            {"shown": shown or 0.0},
        )
        return
    why = _not_an_accuracy(model, train.form if train is not None else "") if model else ""
    if why and shown is not None and true is not None and abs(shown - true.share) > 0.05:
        yield Finding(
            "wrong_metric", 0.9, f"{why}.{said}", compiled_anew(evidence), {"shown": shown}
        )


def _not_an_accuracy(model: Model, form: str) -> str:
    """What a metric counts that is called an accuracy and is none for labels of this form; "" where all are."""
    metrics = model.metrics
    if EXACT_ACCURACY in metrics:
        return (
            "keras.metrics.Accuracy() counts outputs that equal y exactly, as no probability does"
        )
    if TOP_ACCURACY in metrics:
        return (
            "The metric that is called accuracy counts a label among the most probable few as right"
        )
    if ("categorical_accuracy" in metrics and form in ("whole", "column")) or (
        "sparse_categorical_accuracy" in metrics and form == "one-hot"
    ):
        return "The metric is for another form of labels than y has"
    return ""
