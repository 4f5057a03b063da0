"""The learning rate: what the optimizer was given, and what came of it."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tenfold.evaluation.diagnosis import fixes
from tenfold.evaluation.diagnosis.evidence import Evidence
from tenfold.evaluation.diagnosis.findings import Finding
from tenfold.evaluation.diagnosis.outcome import (
    below_reach,
    is_broken,
    jumps,
    shares,
    silent_units,
    still_falling,
    told,
    took_few_steps,
    wild,
)

# The rate each optimizer is usually right with for networks on inputs of about 1: Keras's own defaults,
# and for SGD 0.05, where Keras's 0.01 is slow.
USUAL_RATE = {
    "Adam": 1e-3, "AdamW": 1e-3, "Nadam": 1e-3, "Adamax": 1e-3, "RMSprop": 1e-3, "Lion": 1e-4, "SGD": 0.05,
    "Adagrad": 0.01, "Adadelta": 1.0, "Ftrl": 0.01, "Adafactor": 1e-3, "Muon": 1e-3, "Lamb": 1e-3,
}  # fmt: skip
HIGH, LOW = 10.0, 0.2
# A rate at which nothing is learnt, and for how much of the training; a cosine is there for an eighth of it.
IDLE, MOSTLY = 0.05, 0.6


class Rate(NamedTuple):
    """A learning rate, and how many times the usual one it is."""

    value: float
    times: float
    optimizer: str


def learning_rate(evidence: Evidence) -> Iterator[Finding]:
    """A rate far from the usual one, and a training that shows it."""
    rate = rate_of(evidence)
    model, train = evidence.model, evidence.train
    if model is None or train is None:
        return
    answers, broken = evidence.answers(train), is_broken(evidence)
    worse = below_reach(evidence)
    if rate is None:
        yield from _by_the_curve(evidence, worse or broken)
        return
    usual = fixes.at_rate(model, rate.optimizer, USUAL_RATE[rate.optimizer])
    # A thousandth aside, for a rate comes back from float32.
    high = rate.times >= 0.999 * HIGH
    if high and (broken or _shows_large_steps(evidence, rate, worse=worse)):
        dead = {name: share for name, share in silent_units(evidence).items() if share > 0.2}
        units = f" Never active: {shares(dead)}." if dead else ""
        jumped = f" {wild(evidence)}" if wild(evidence) else ""
        yield Finding(
            "learning_rate_too_high",
            0.93 if broken or worse else 0.7,
            f"{rate.optimizer} was given {rate.value:g}, {rate.times:,.0f} times what it usually takes"
            f"{', and ended in NaN' if broken else ''}.{told(answers)}{jumped}{units}",
            usual + "   # and train anew from the start",
            {"learning_rate": rate.value, "times_usual": rate.times},
        )
    elif worse and not broken and (idle := _idle(evidence, rate)) is not None:
        yield Finding(
            "learning_rate_too_low",
            0.9,
            f"{rate.optimizer} began with {idle[0]:g}, but for {idle[1]:.0%} of the training its rate was below a "
            f"{1 / IDLE:.0f}th of what it usually takes, {idle[2]:.2g} in the end.{told(answers)}{still_falling(evidence)}",
            usual + "   # or a schedule that gets to 0 with the last step, not before",
            {"learning_rate": idle[2], "share_idle": idle[1]},
        )
    elif rate.times < 0.999 * LOW and worse and not broken:
        yield Finding(
            "learning_rate_too_low",
            0.9,
            f"{rate.optimizer} was given {rate.value:g}, a {1 / max(rate.times, 1e-12):,.0f}th of what it usually takes.{told(answers)}"
            f"{still_falling(evidence)}",
            usual,
            {"learning_rate": rate.value, "times_usual": rate.times},
        )


def _idle(evidence: Evidence, rate: Rate) -> tuple[float, float, float] | None:
    """(rate at the start, share of the training in which it was next to none, rate in the end); None where that was not most."""
    model, history = evidence.model, evidence.history
    rates = np.array(model.schedule if model is not None else ())
    if not len(rates) and history is not None and history.learning_rate is not None:
        rates = history.learning_rate[np.isfinite(history.learning_rate)]
    if len(rates) < 2 or rates.max() <= 0:
        return None
    share = float((rates * rate.times / rate.value < IDLE).mean())
    fell = rates[0] * rate.times / rate.value > IDLE
    return (float(rates[0]), share, float(rates[-1])) if fell and share >= MOSTLY else None


def _shows_large_steps(evidence: Evidence, rate: Rate, *, worse: bool) -> bool:
    """A wild loss, a layer half dead, and, of enough steps, a model that does worse than it could.

    At twice a high rate it is also enough that unseen images are told worse than a probe tells them.
    """
    losses = evidence.history.loss if evidence.history else None
    if losses is not None and np.isfinite(losses).all() and jumps(losses) >= 2:
        return True
    if max(silent_units(evidence).values(), default=0.0) > 0.5:
        return True
    # A few large steps may do worse than more of them would.
    if took_few_steps(evidence):
        return bool(wild(evidence))
    if worse:
        return True
    part = evidence.parts.get("validation") or evidence.parts.get("test")
    answers, fit = evidence.answers(part), evidence.own_fit(part)
    if (
        rate.times < 2 * HIGH
        or part is None
        or answers is None
        or fit is None
        or not answers.accuracy.total
    ):
        return False
    return answers.accuracy.interval()[1] < float((fit.told == part.labels).mean())


def _by_the_curve(evidence: Evidence, worse: bool) -> Iterator[Finding]:
    """Without a known rate: a loss that starts far above guessing, or jumps."""
    jumped = wild(evidence)
    if jumped and worse:
        yield Finding(
            "learning_rate_too_high",
            0.6,
            f"{jumped}{told(evidence.answers(evidence.train))}",
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
