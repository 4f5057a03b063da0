"""How a training came out: what all rules about training ask first."""

import numpy as np
from numpy.typing import NDArray

from tenfold.evaluation.diagnosis import inside
from tenfold.evaluation.diagnosis.answers import Answers
from tenfold.evaluation.diagnosis.evidence import Evidence
from tenfold.statistics import Proportion

# A network that does worse on its own training rows than closed-form Gaussians do on unseen ones.
BELOW_REACH = 0.01
# An epoch of 3,200 images in batches of 32.
FEW_STEPS = 100


def training_mode(evidence: Evidence) -> Proportion | None:
    """Training images told in training mode."""
    right = right_in_training_mode(evidence)
    return None if right is None else Proportion(int(right.sum()), len(right))


def right_in_training_mode(evidence: Evidence) -> NDArray[np.bool_] | None:
    """Which of the rows that were asked about (n,) are told rightly in training mode; None without layers that differ in it."""
    model, train, answers = evidence.model, evidence.train, evidence.answers(evidence.train)
    if model is None or train is None or answers is None or answers.labels is None:
        return None
    if not any(
        "Dropout" in layer.kind or layer.kind.startswith("BatchNorm") for layer in model.layers
    ):
        return None
    # By chance, for batches of one class would have statistics of their own.
    order = np.random.default_rng(0).permutation(len(answers.rows))
    labels = answers.labels[order]

    def measure() -> NDArray[np.bool_] | None:
        outputs = inside.in_training_mode(model, train.x[answers.rows[order]])
        if outputs is None or outputs.ndim != 2 or len(outputs) != len(order):
            return None
        right = np.empty(len(order), bool)
        right[order] = outputs.argmax(axis=1) == labels
        return right

    return evidence.once("training mode", measure)


def below_reach(evidence: Evidence) -> bool:
    """Whether the model does worse on its training rows than the probe does on unseen ones."""
    answers, reach = evidence.answers(evidence.train), evidence.within_reach
    if answers is None or reach is None or not answers.accuracy.total:
        return False
    return answers.accuracy.interval()[1] < reach - BELOW_REACH


def took_few_steps(evidence: Evidence) -> bool:
    """Whether the optimizer is known to have taken fewer than FEW_STEPS."""
    steps = evidence.model.steps if evidence.model is not None else None
    return steps is not None and steps < FEW_STEPS


def is_broken(evidence: Evidence) -> bool:
    """Whether losses or outputs are no numbers."""
    answers, history = evidence.answers(evidence.train), evidence.history
    lost = history is not None and history.loss is not None and not np.isfinite(history.loss).all()
    return lost or (answers is not None and not answers.finite)


def told(answers: Answers | None) -> str:
    """What the model tells of training images, as a sentence with a space before it; "" where unknown."""
    if answers is None or not answers.accuracy.total:
        return ""
    return f" The model tells {answers.accuracy} of training images."


def wild(evidence: Evidence) -> str:
    """What of the training loss shows too large steps; "" where nothing."""
    losses = evidence.history.loss if evidence.history else None
    if losses is None or not len(losses) or not np.isfinite(losses).all():
        return ""
    guessing = float(np.log(evidence.classes))
    if losses[0] > 2 * guessing:
        return (
            f"The loss of the first epoch was {losses[0]:.3g}, where guessing costs {guessing:.3g}."
        )
    if len(losses) > 3 and jumps(losses) >= 2:
        return f"The training loss rose by more than a tenth {jumps(losses)} times."
    return ""


def jumps(losses: NDArray[np.float64]) -> int:
    """How often a loss (epochs,) rose by more than a tenth."""
    return int((losses[1:] > 1.1 * losses[:-1]).sum())


def still_falling(evidence: Evidence) -> str:
    """By how much the loss fell in the last epoch, likewise; "" where it did not."""
    losses = evidence.history.loss if evidence.history else None
    if losses is None or len(losses) < 2 or not np.isfinite(losses).all() or losses[-2] <= 0:
        return ""
    fall = 1 - losses[-1] / losses[-2]
    return f" The loss still fell by {fall:.1%} in the last epoch." if fall > 0.01 else ""


def silent_units(evidence: Evidence) -> dict[str, float]:
    """Each hidden ReLU layer's share of units that are 0 for all training images looked at."""
    model, train = evidence.model, evidence.train
    if model is None or train is None:
        return {}
    return evidence.once(
        "silent", lambda: inside.silent_units(model, train.x[train.rows(inside.ROWS)])
    )


def shares(silent: dict[str, float]) -> str:
    """Shares of layers in words."""
    return ", ".join(f"{share:.0%} of {name}" for name, share in silent.items())
