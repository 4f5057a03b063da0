"""Causes in how the model was trained: what it can reach, what it reached, and what stood in its way."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from tenfold.evaluation.diagnosis import fixes, inside
from tenfold.evaluation.diagnosis.answers import Answers
from tenfold.evaluation.diagnosis.evidence import Evidence
from tenfold.evaluation.diagnosis.findings import Finding
from tenfold.evaluation.diagnosis.hands import is_other
from tenfold.evaluation.diagnosis.models import Model
from tenfold.evaluation.diagnosis.outcome import (
    below_reach,
    right_in_training_mode,
    shares,
    silent_units,
    still_falling,
    told,
    took_few_steps,
    training_mode,
)

# Held at a length of half their start, weights still do what they should.
SHORT = 0.4
# A gap to unseen images is a fault by itself where it is ten points, and where it is five and the validation loss has long been
# rising; a network that has learnt a few thousand images well has one of five to nine, which is worth a remark.
WIDE, MENTIONED = 0.1, 0.05
# What statistics of the batch gain in accuracy where the kept ones still hold some of the start; and where they hold none, but
# the weights run ahead of them: by 2 to 3 points they do in sound networks of a few epochs.
UNSETTLED, OUTRUN = 0.02, 0.05


def nan(evidence: Evidence) -> Iterator[Finding]:
    """Outputs, weights or losses that are no numbers."""
    model, answers = evidence.model, evidence.answers(evidence.train)
    history = evidence.history
    lost = history is not None and history.loss is not None and not np.isfinite(history.loss).all()
    outputs = answers is not None and not answers.finite
    weights = model is not None and not inside.weights_are_finite(model)
    if not (lost or outputs or weights):
        return
    where = [
        w for w, is_so in (("the loss", lost), ("outputs", outputs), ("weights", weights)) if is_so
    ]
    when = ""
    if lost and history is not None and history.loss is not None:
        when = (
            f" The loss is no number from epoch {1 + int(np.argmin(np.isfinite(history.loss)))} on."
        )
    yield Finding(
        "nan_in_training",
        0.97,
        f"NaN or infinity in {' and '.join(where)}.{when} From there on nothing is learnt.",
        (
            "model.compile(keras.optimizers.Adam(1e-3, clipnorm=1.0), model.loss, metrics=['accuracy'])\n"
            if model is None or model.kind != "callable"
            else ""
        )
        + "# build the model anew: NaN stays. Look for log(0), 0/0 and x without scaling in your own losses and layers.",
    )


def dropout(evidence: Evidence) -> Iterator[Finding]:
    """Dropout that leaves too little to answer with."""
    model, train = evidence.model, evidence.train
    if model is None or train is None:
        return
    rates = [
        float(layer.settings.get("rate", 0)) for layer in model.layers if "Dropout" in layer.kind
    ]
    answers, mode = evidence.answers(train), training_mode(evidence)
    if not rates or max(rates) < 0.4 or answers is None or not answers.accuracy.total:
        return
    history = evidence.history
    with_dropout = mode.share if mode is not None else None
    if (
        with_dropout is None
        and history is not None
        and history.accuracy is not None
        and len(history.accuracy)
    ):
        with_dropout = float(history.accuracy[-1])
    worse = below_reach(evidence)
    cost = answers.accuracy.share - with_dropout if with_dropout is not None else 0.0
    if not ((worse and (cost > 0.08 or max(rates) >= 0.75)) or (max(rates) >= 0.7 and cost > 0.08)):
        return
    measured = (
        f" The network tells {answers.accuracy.share:.1%} of training images without it and {with_dropout:.1%} with it."
        if with_dropout is not None
        else ""
    )
    yield Finding(
        "dropout_too_strong",
        0.93 if cost > 0.08 else 0.75,
        f"Dropout of {', '.join(f'{rate:g}' for rate in rates)}.{measured}",
        "keras.layers.Dropout(0.2)   # 0.1 to 0.3; none behind layers of fewer than 100 units",
        {"largest_rate": max(rates), "cost": cost},
    )


def weight_decay(evidence: Evidence) -> Iterator[Finding]:
    """Penalties on weights that outweigh the data."""
    model, train = evidence.model, evidence.train
    answers = evidence.answers(train)
    reach = evidence.within_reach
    if model is None or answers is None or reach is None or not answers.accuracy.total:
        return
    if answers.accuracy.share > reach + 0.005:
        return
    if below_reach(evidence) and (held_back := _held_back(model)):
        yield Finding("weight_decay_too_strong", 0.9, held_back[0] + told(answers), held_back[1])
        return
    if below_reach(evidence) and (held := list(_held_short(model))):
        yield Finding(
            "weight_decay_too_strong",
            0.9,
            " ".join(held) + told(answers),
            "keras.constraints.MaxNorm(3)   # or none",
        )
        return
    added, data = inside.penalty(model), answers.log_loss
    strengths = [s for layer in model.layers for s in _strengths(layer.settings)]
    shrunk = model.weight_decay * (model.learning_rate or 0) * (model.steps or 0)
    # A thousandth aside, for a strength comes back from float32.
    if strengths and (max(strengths) >= 0.999 * 0.02 or (data is not None and added > 0.5 * data)):
        what = f"Regularisers are as strong as L2({max(strengths):.3g})."
        if data is not None and added > 0.01 * data:
            what += f" They add {added:.3g} to a loss of {data:.3g}."
        fix = "keras.layers.Dense(64, activation='relu')   # or kernel_regularizer=keras.regularizers.L2(1e-4)"
    elif model.weight_decay >= 0.05 and (shrunk > 0.3 or model.weight_decay >= 0.5):
        what = f"{model.optimizer} with weight_decay={model.weight_decay:g} has shrunk every weight to {np.exp(-shrunk):.1%} of what it learnt."
        fix = f"keras.optimizers.{model.optimizer}({model.learning_rate or 1e-3:g}, weight_decay=0.004)"
    else:
        return
    yield Finding("weight_decay_too_strong", 0.9, what + told(answers), fix, {"penalty": added})


def _held_back(model: Model) -> tuple[str, ...]:
    """(why, fix) where a classifier of scikit-learn penalises its weights far more than usual; () where not."""
    last: Any = model.last_estimator
    alpha, c = getattr(last, "alpha", None), getattr(last, "C", None)
    if hasattr(last, "hidden_layer_sizes") and isinstance(alpha, (int, float)) and alpha >= 1:
        return (
            f"alpha={alpha:g} penalises weights {alpha / 1e-4:,.0f} times as much as usual.",
            fixes.set_to(model, "alpha", 1e-4),
        )
    if isinstance(c, (int, float)) and 0 < c <= 1e-3:
        return (
            f"C={c:g} penalises weights {1 / c:,.0f} times as much as usual.",
            fixes.set_to(model, "C", 1.0),
        )
    return ()


def _held_short(model: Model) -> Iterator[str]:
    """Layers whose weights a constraint holds far shorter than they start with, in words."""
    for layer in model.weighted:
        given = layer.settings.get("kernel_constraint")
        if not isinstance(given, dict):
            continue
        config = given.get("config", {})
        most = config.get("max_value")
        shape: tuple[int, ...] = getattr(getattr(layer.itself, "kernel", None), "shape", ())
        if not isinstance(most, (int, float)) or len(shape) != 2:
            continue
        # Glorot's start: a unit's weights have the length sqrt(2 inputs / (inputs + units)).
        start = float(np.sqrt(2 * shape[0] / (shape[0] + shape[1])))
        share = inside.held_by_a_bound(layer.itself, most, config.get("axis", 0))
        if most < SHORT * start and share > 0.5:
            name = getattr(layer.itself, "name", layer.kind)
            yield (
                f"{given['class_name']}({most:g}) holds the weights of {share:.0%} of the units of {name} at that length; "
                f"they start with {start:.2g}."
            )


def _strengths(settings: dict[str, object]) -> Iterator[float]:
    for name, value in settings.items():
        if "regularizer" in name and value:
            inner = value.get("config", {}) if isinstance(value, dict) else {}
            # The pull of L1 stays where weights get small: on those of a tenth it is five times that of L2.
            yield from (
                abs(float(v)) * (5 if k == "l1" else 1)
                for k, v in inner.items()
                if k in ("l1", "l2") and v
            )
            if isinstance(value, str):
                yield 0.05 if value.lower() == "l1" else 0.01


def batch_norm(evidence: Evidence) -> Iterator[Finding]:
    """Moving statistics that are still those of the start."""
    model, train = evidence.model, evidence.train
    if model is None or train is None:
        return
    momenta = [
        float(layer.settings.get("momentum", 0.99))
        for layer in model.layers
        if layer.kind.startswith("BatchNorm")
    ]
    answers, mode = evidence.answers(train), right_in_training_mode(evidence)
    if not momenta or answers is None or mode is None or not answers.accuracy.total:
        return
    usual = answers.told == answers.labels
    gain = float(mode.mean() - usual.mean())
    # The same images both times: what counts is on which the two differ.
    left = max(momenta) ** model.steps if model.steps else 1.0
    least = UNSETTLED if left > 0.01 else OUTRUN
    if gain < least or gain < 3 * np.sqrt(float((mode != usual).sum())) / len(usual):
        return
    kept = (
        f" After {model.steps:,} steps, {left:.0%} of the start is left in them."
        if model.steps
        else ""
    )
    yield Finding(
        "batch_norm_too_slow",
        0.95,
        f"With the statistics of the batch the network tells {mode.mean():.1%} of training images, with the moving ones that "
        f"are used afterwards {answers.accuracy.share:.1%}: momentum {max(momenta):g} has not settled.{kept}",
        "keras.layers.BatchNormalization(momentum=0.9)   # or train for more steps",
        {"with_batch": float(mode.mean()), "with_moving": answers.accuracy.share},
    )


def dead_units(evidence: Evidence) -> Iterator[Finding]:
    """Units that are 0 whatever is shown, in a network that does badly."""
    model, train = evidence.model, evidence.train
    if model is None or train is None or not below_reach(evidence):
        return
    dead = {name: share for name, share in silent_units(evidence).items() if share > 0.5}
    if dead:
        yield Finding(
            "dead_units",
            0.8,
            f"Never active: {shares(dead)}.{told(evidence.answers(train))}",
            "keras.layers.Dense(64, activation='relu', kernel_initializer='he_normal')   # biases from 0; a smaller learning rate",
            dict(dead),
        )


class Turn(NamedTuple):
    """Where a validation loss was lowest (epoch, of how many), and how many times that it is in the end.

    By the median of three epochs each, since one is moved by chance; the single lowest one is `lowest`.
    """

    best: int
    last: int
    rise: float
    lowest: int = 0

    @property
    def long_ago(self) -> bool:
        """Whether it has risen for the larger half of the training, and for eight epochs or more."""
        return 2 * self.best < self.last and self.last - self.best >= 8 and self.rise > 1.15


def overfitting(evidence: Evidence) -> Iterator[Finding]:
    """Training rows told, others not; or a validation loss that has long been rising."""
    ours = evidence.answers(evidence.train)
    judged = next(
        (
            a
            for p in evidence.others
            if (a := evidence.answers(p)) is not None
            and a.accuracy.total
            and not is_other(evidence, p)
        ),
        None,
    )
    turn = _turn(evidence)
    gap = _gap(evidence, ours, judged)
    if gap is None:
        return
    sure_of_errors = False
    if evidence.history is None and ours is not None and judged is not None:
        ours_loss, theirs = ours.log_loss, judged.log_loss
        sure_of_errors = (
            ours_loss is not None and theirs is not None and theirs > 10 * max(ours_loss, 1e-4)
        )
    rising = turn.long_ago or turn.rise > 1.3 or sure_of_errors
    if gap < MENTIONED and (gap < 0.02 or not rising):
        return
    # Of few unseen rows the gap is known to a few points only.
    surely = gap
    if ours is not None and judged is not None:
        surely = ours.accuracy.share - judged.accuracy.interval()[1]
    text = f"Of training images it tells {100 * gap:.1f} points more than of unseen ones."
    if turn.rise > 1.1:
        text += (
            f" The validation loss was lowest after epoch {turn.lowest} of {turn.last} and is now {turn.rise:.2g} times "
            "that."
        )
    yield Finding(
        "overfitting",
        0.9 if (turn.long_ago and turn.rise > 1.5) or surely > WIDE else 0.7,
        text,
        fixes.less_by_heart(evidence.model),
        {"gap": gap, "rise": turn.rise},
        fault=surely > WIDE or (gap > MENTIONED and turn.long_ago),
    )


def _turn(evidence: Evidence) -> Turn:
    history = evidence.history
    losses = history.validation_loss if history is not None else None
    if losses is None or len(losses) < 3 or not np.isfinite(losses).all() or losses.min() <= 0:
        return Turn(0, 0, 1.0)
    smooth = np.array([np.median(losses[max(0, i - 1) : i + 2]) for i in range(len(losses))])
    # Where the best weights were put back, what came after them is not what the model does now.
    watched = evidence.answers(evidence.parts.get("validation"))
    own = watched.log_loss if watched is not None else None
    if own is not None and abs(own / losses.min() - 1) < 0.1 < abs(own / losses[-1] - 1):
        return Turn(0, 0, 1.0)
    rise = float(smooth[-2:].min() / smooth.min())
    return Turn(1 + int(smooth.argmin()), len(losses), rise, 1 + int(losses.argmin()))


def _gap(evidence: Evidence, ours: Answers | None, judged: Answers | None) -> float | None:
    history = evidence.history
    if ours is not None and judged is not None and ours.accuracy.total:
        return ours.accuracy.share - judged.accuracy.share
    if (
        history is None
        or history.accuracy is None
        or history.validation_accuracy is None
        or not len(history.accuracy)
    ):
        return None
    return float(history.accuracy[-1] - history.validation_accuracy[-1])


def under_training(evidence: Evidence) -> Iterator[Finding]:
    """Worse than it could be on its own training rows, and still getting better."""
    train = evidence.train
    answers = evidence.answers(train)
    if train is None or answers is None or not below_reach(evidence) or not answers.finite:
        return
    if answers.are_all_alike and not took_few_steps(evidence):
        return  # more of the same would not reach a network that does not see its pictures
    falling = still_falling(evidence)
    history = evidence.history
    few = history is not None and 0 < history.epochs <= 3
    reach = evidence.within_reach or 0.0
    stopped = _stopped_by_its_limit(evidence)
    steps = evidence.model.steps if evidence.model else None
    short = falling or few or stopped or took_few_steps(evidence)
    if not short and history is not None:
        return  # many epochs, the last of which gained nothing: more of them would not
    sure = 0.85 if short else 0.55
    taken = (
        f" It took {steps:,} step{'s' * (steps != 1)}."
        if steps
        else " It took no step."
        if steps == 0
        else ""
    )
    yield Finding(
        "under_training",
        sure,
        f"A probe without any training tells {reach:.1%} of unseen rows.{told(answers)}{falling}{taken}{stopped}",
        fixes.trained_longer(evidence.model),
        # What is no network may be as good as it gets: a linear classifier tells 92 %.
        fault=evidence.model is None
        or evidence.model.kind != "callable"
        or history is not None
        or bool(stopped),
    )


def _stopped_by_its_limit(evidence: Evidence) -> str:
    """That a classifier of scikit-learn took all the iterations it was allowed, as a sentence; "" where not."""
    last = evidence.model.last_estimator if evidence.model is not None else None
    allowed, taken = getattr(last, "max_iter", None), getattr(last, "n_iter_", None)
    if not isinstance(allowed, int) or taken is None or not allowed > 0:
        return ""
    took = int(np.max(taken))
    return f" It stopped at its limit of {allowed:,} iterations." if took >= allowed else ""
