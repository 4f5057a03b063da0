"""Causes in how the model was trained: what it can reach, what it reached, and what stood in its way."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.evaluation.diagnosis import inside
from tenfold.evaluation.diagnosis.evidence import Answers, Evidence
from tenfold.evaluation.diagnosis.findings import Finding
from tenfold.statistics import Proportion

# The rate each optimizer is usually right with for networks on inputs of about 1: Keras's own defaults,
# and for SGD 0.05, where Keras's 0.01 is slow.
USUAL_RATE = {
    "Adam": 1e-3, "AdamW": 1e-3, "Nadam": 1e-3, "Adamax": 1e-3, "RMSprop": 1e-3, "Lion": 1e-4, "SGD": 0.05,
    "Adagrad": 0.01, "Adadelta": 1.0, "Ftrl": 0.01, "Adafactor": 1e-3, "Muon": 1e-3, "Lamb": 1e-3,
}  # fmt: skip
HIGH, LOW = 10.0, 0.2

# A network that does worse on its own training rows than closed-form Gaussians do on unseen ones.
BELOW_REACH = 0.01


class Rate(NamedTuple):
    """A learning rate, and how many times the usual one it is."""

    value: float
    times: float
    optimizer: str


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
        "model.compile(keras.optimizers.Adam(1e-3, clipnorm=1.0), model.loss, metrics=['accuracy'])\n"
        "# build the model anew: NaN stays. Look for log(0), 0/0 and x without scaling in your own losses and layers.",
    )


def learning_rate(evidence: Evidence) -> Iterator[Finding]:
    """A rate far from the usual one, and a training that shows it."""
    rate = rate_of(evidence)
    model, train = evidence.model, evidence.train
    if model is None or train is None:
        return
    answers, broken = evidence.answers(train), _is_broken(evidence)
    worse = below_reach(evidence)
    if rate is None:
        yield from _by_the_curve(evidence, worse or broken)
        return
    if rate.times >= 0.999 * HIGH and (worse or broken):
        silent = inside.silent_units(model, train.x[train.rows(inside.ROWS)])
        dead = {name: share for name, share in silent.items() if share > 0.2}
        units = (
            f" Never active: {', '.join(f'{share:.0%} of {name}' for name, share in dead.items())}."
            if dead
            else ""
        )
        wild = f" {_wild(evidence)}" if _wild(evidence) else ""
        yield Finding(
            "learning_rate_too_high",
            0.93 if broken or worse else 0.6,
            f"{rate.optimizer} was given {rate.value:g}, {rate.times:,.0f} times what it usually takes"
            f"{', and ended in NaN' if broken else ''}.{_told(answers)}{wild}{units}",
            f"model.compile(keras.optimizers.{rate.optimizer}({USUAL_RATE[rate.optimizer]:g}), model.loss, metrics=['accuracy'])   # and build the model anew",
            {"learning_rate": rate.value, "times_usual": rate.times},
        )
    elif rate.times < LOW and worse and not broken:
        yield Finding(
            "learning_rate_too_low",
            0.9,
            f"{rate.optimizer} was given {rate.value:g}, a {1 / max(rate.times, 1e-12):,.0f}th of what it usually takes.{_told(answers)}"
            f"{_still_falling(evidence)}",
            f"model.compile(keras.optimizers.{rate.optimizer}({USUAL_RATE[rate.optimizer]:g}), model.loss, metrics=['accuracy'])",
            {"learning_rate": rate.value, "times_usual": rate.times},
        )


def _by_the_curve(evidence: Evidence, worse: bool) -> Iterator[Finding]:
    """Without a known rate: a loss that starts far above guessing, or jumps."""
    wild = _wild(evidence)
    if wild and worse:
        yield Finding(
            "learning_rate_too_high",
            0.6,
            f"{wild}{_told(evidence.answers(evidence.train))}",
            "model.compile(keras.optimizers.Adam(1e-3), model.loss, metrics=['accuracy'])   # a tenth of the rate that was used",
        )


def rate_of(evidence: Evidence) -> Rate | None:
    """The largest learning rate that is known of."""
    model, history = evidence.model, evidence.history
    if model is None:
        return None
    rates = [model.learning_rate] if model.learning_rate else []
    if history is not None and history.learning_rate is not None and len(history.learning_rate):
        rates.append(float(np.nanmax(history.learning_rate)))
    name = model.optimizer.removeprefix("Legacy")
    if not rates or name not in USUAL_RATE:
        return None
    value = max(rates)
    effective = value / (1 - min(model.momentum, 0.99)) / (5 if model.momentum > 0.5 else 1)
    return Rate(value, effective / USUAL_RATE[name], name)


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
    added, data = inside.penalty(model), answers.log_loss
    strengths = [s for layer in model.layers for s in _strengths(layer.settings)]
    shrunk = model.weight_decay * (model.learning_rate or 0) * (model.steps or 0)
    if strengths and (max(strengths) >= 0.02 or (data is not None and added > 0.5 * data)):
        what = f"Regularisers of strength {max(strengths):g} add {added:.3g} to a loss of {data or float('nan'):.3g}."
        fix = "keras.layers.Dense(64, activation='relu')   # or kernel_regularizer=keras.regularizers.L2(1e-4)"
    elif model.weight_decay >= 0.05 and (shrunk > 0.3 or model.weight_decay >= 0.5):
        what = f"{model.optimizer} with weight_decay={model.weight_decay:g} has shrunk every weight by e to the {shrunk:.2g} beside what it learnt."
        fix = f"keras.optimizers.{model.optimizer}({model.learning_rate or 1e-3:g}, weight_decay=0.004)"
    else:
        return
    yield Finding("weight_decay_too_strong", 0.9, what + _told(answers), fix, {"penalty": added})


def _strengths(settings: dict[str, object]) -> Iterator[float]:
    for name, value in settings.items():
        if "regularizer" in name and value:
            inner = value.get("config", {}) if isinstance(value, dict) else {}
            yield from (abs(float(v)) for k, v in inner.items() if k in ("l1", "l2") and v)
            if isinstance(value, str):
                yield 0.01


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
    answers, mode = evidence.answers(train), training_mode(evidence)
    if not momenta or answers is None or mode is None or not answers.accuracy.total:
        return
    gain = mode.share - answers.accuracy.share
    if gain < 0.03 or mode.interval()[0] < answers.accuracy.interval()[1]:
        return
    kept = (
        f" After {model.steps:,} steps, {max(momenta) ** model.steps:.0%} of the start is left in them."
        if model.steps
        else ""
    )
    yield Finding(
        "batch_norm_too_slow",
        0.95,
        f"With the statistics of the batch the network tells {mode.share:.1%} of training images, with the moving ones that "
        f"are used afterwards {answers.accuracy.share:.1%}: momentum {max(momenta):g} has not settled.{kept}",
        "keras.layers.BatchNormalization(momentum=0.9)   # or train for more steps",
        {"with_batch": mode.share, "with_moving": answers.accuracy.share},
    )


def training_mode(evidence: Evidence) -> Proportion | None:
    """Training images told in training mode."""
    model, train = evidence.model, evidence.train
    if model is None or train is None or train.labels is None:
        return None
    if not any(
        "Dropout" in layer.kind or layer.kind.startswith("BatchNorm") for layer in model.layers
    ):
        return None
    # By chance, for batches of one class would have statistics of their own.
    rows = np.random.default_rng(0).permutation(len(train))[: inside.ROWS]
    labels = train.labels

    def measure() -> Proportion | None:
        outputs = inside.in_training_mode(model, train.x[rows])
        if outputs is None or outputs.ndim != 2 or len(outputs) != len(rows):
            return None
        return Proportion(int((outputs.argmax(axis=1) == labels[rows]).sum()), len(rows))

    return evidence.once("training mode", measure)


def dead_units(evidence: Evidence) -> Iterator[Finding]:
    """Units that are 0 whatever is shown, in a network that does badly."""
    model, train = evidence.model, evidence.train
    if model is None or train is None or not below_reach(evidence):
        return
    silent = inside.silent_units(model, train.x[train.rows(inside.ROWS)])
    dead = {name: share for name, share in silent.items() if share > 0.5}
    if dead:
        yield Finding(
            "dead_units",
            0.8,
            f"Never active: {', '.join(f'{share:.0%} of {name}' for name, share in dead.items())}.{_told(evidence.answers(train))}",
            "keras.layers.Dense(64, activation='relu', kernel_initializer='he_normal')   # biases from 0; a smaller learning rate",
            dict(dead),
        )


def overfitting(evidence: Evidence) -> Iterator[Finding]:
    """Training rows told, others not; or a validation loss that has long been rising."""
    ours = evidence.answers(evidence.train)
    judged = next(
        (a for p in evidence.others if (a := evidence.answers(p)) is not None and a.accuracy.total),
        None,
    )
    history, rise, best, last = evidence.history, 1.0, 0, 0
    if (
        history is not None
        and history.validation_loss is not None
        and len(history.validation_loss) > 2
    ):
        losses = history.validation_loss
        if np.isfinite(losses).all() and losses.min() > 0:
            best, last = 1 + int(losses.argmin()), len(losses)
            rise = float(losses[-1] / losses.min())
    gap = _gap(evidence, ours, judged)
    if gap is None:
        return
    loss_gap = None
    if (
        ours is not None
        and judged is not None
        and ours.log_loss is not None
        and judged.log_loss is not None
    ):
        loss_gap = judged.log_loss / max(ours.log_loss, 1e-4)
    turned = rise > 1.3 or (history is None and loss_gap is not None and loss_gap > 10)
    if not turned and gap < 0.1:
        return
    if rise <= 1.1 and gap < 0.03:
        return
    text = f"Training images are told {gap:.1%} better than unseen ones."
    if rise > 1.1:
        text += f" The validation loss was lowest after epoch {best} of {last} and is now {rise:.2g} times that."
    yield Finding(
        "overfitting",
        0.9 if rise > 1.5 or gap > 0.1 else 0.7,
        text,
        "model.fit(..., callbacks=[keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)])\n"
        "# and more images, augmentation, or dropout of 0.2 to 0.5 in wide layers",
        {"gap": gap, "rise": rise},
        fault=gap > 0.04 and (rise > 1.3 or gap > 0.1),
    )


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
    falling = _still_falling(evidence)
    history = evidence.history
    few = history is not None and 0 < history.epochs <= 3
    untrained = (
        answers.log_loss is not None and abs(answers.log_loss - np.log(evidence.classes)) < 0.3
    )
    reach = evidence.within_reach or 0.0
    sure = 0.85 if falling or few else 0.55 if history is None or untrained else 0.35
    steps = evidence.model.steps if evidence.model else None
    taken = f" {steps:,} steps were taken." if steps is not None else ""
    yield Finding(
        "under_training",
        sure,
        f"A probe without any training tells {reach:.1%} of unseen rows.{_told(answers)}{falling}{taken}",
        "model.fit(x, y, epochs=20, callbacks=[keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)])",
        # What is no network may be as good as it gets: a linear classifier tells 92 %.
        fault=evidence.model is None or evidence.model.kind != "callable" or history is not None,
    )


def below_reach(evidence: Evidence) -> bool:
    """Whether the model does worse on its training rows than the probe does on unseen ones."""
    answers, reach = evidence.answers(evidence.train), evidence.within_reach
    if answers is None or reach is None or not answers.accuracy.total:
        return False
    return answers.accuracy.interval()[1] < reach - BELOW_REACH


def _is_broken(evidence: Evidence) -> bool:
    answers, history = evidence.answers(evidence.train), evidence.history
    lost = history is not None and history.loss is not None and not np.isfinite(history.loss).all()
    return lost or (answers is not None and not answers.finite)


def _told(answers: Answers | None) -> str:
    if answers is None or not answers.accuracy.total:
        return ""
    return f" The model tells {answers.accuracy} of training images."


def _wild(evidence: Evidence) -> str:
    """What of the training loss shows too large steps; "" where nothing."""
    losses = evidence.history.loss if evidence.history else None
    if losses is None or not len(losses) or not np.isfinite(losses).all():
        return ""
    guessing = float(np.log(evidence.classes))
    if losses[0] > 2 * guessing:
        return (
            f"The loss of the first epoch was {losses[0]:.3g}, where guessing costs {guessing:.3g}."
        )
    if len(losses) > 3 and _jumps(losses) >= 2:
        return f"The training loss rose by more than a tenth {_jumps(losses)} times."
    return ""


def _jumps(losses: NDArray[np.float64]) -> int:
    return int((losses[1:] > 1.1 * losses[:-1]).sum())


def _still_falling(evidence: Evidence) -> str:
    losses = evidence.history.loss if evidence.history else None
    if losses is None or len(losses) < 2 or not np.isfinite(losses).all() or losses[-2] <= 0:
        return ""
    fall = 1 - losses[-1] / losses[-2]
    return f" The loss still fell by {fall:.1%} in the last epoch." if fall > 0.01 else ""
