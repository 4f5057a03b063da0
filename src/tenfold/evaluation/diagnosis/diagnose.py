"""diagnose: a model, arrays and a history from anybody's script -> what is wrong, heaviest first."""

import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from tenfold.errors import UsageError
from tenfold.evaluation.diagnosis import (
    backend,
    belonging,
    data,
    direction,
    hands,
    labels,
    leaks,
    losses,
    preparation,
    rate,
    split,
    structure,
    training,
)
from tenfold.evaluation.diagnosis.evidence import Evidence
from tenfold.evaluation.diagnosis.findings import Diagnosis, Finding
from tenfold.evaluation.diagnosis.histories import history_of
from tenfold.evaluation.diagnosis.inputs import part_of
from tenfold.evaluation.diagnosis.models import Model, model_of, with_recipe
from tenfold.recipe import Recipe

Rule = Callable[[Evidence], Iterable[Finding]]

RULES: tuple[Rule, ...] = (
    data.missing_values,
    data.wrong_shape,
    data.identity,
    preparation.parts_prepared_differently,
    hands.other_hand,
    data.scaling,
    data.mixed_scaling,
    direction.direction,
    data.polarity,
    labels.form,
    labels.out_of_range,
    labels.renamed,
    belonging.belonging,
    split.sorted_split,
    split.sorted_not_shuffled,
    split.missing_class,
    split.label_among_pixels,
    leaks.leak,
    split.too_few_samples,
    structure.outputs,
    structure.output_activation,
    structure.softmax_twice,
    structure.logits_as_probabilities,
    losses.wrong_loss,
    losses.wrong_metric,
    structure.no_nonlinearity,
    structure.frozen_layers,
    training.nan,
    rate.learning_rate,
    training.dropout,
    training.weight_decay,
    training.batch_norm,
    training.dead_units,
    training.overfitting,
    training.under_training,
)


SYMPTOMS = ("dead_units", "overfitting", "under_training")
"""What comes of other causes too: a fault only where none of these was found."""
OF_ARRAYS = 0.85
"""From this weight on a cause lies in the arrays."""
BROUGHT_ALONG = {
    "missing_values": ("labels_shuffled", "label_noise", "leak"),
    "pixels_cut_to_whole": ("parts_prepared_differently", "labels_shuffled", "label_noise", "leak"),
    "scrambled_pictures": ("labels_shuffled", "label_noise", "leak"),
    "one_hot_wrong": ("label_noise",),
    "parts_prepared_differently": (
        "inverted_pixels",
        "other_hand",
        "labels_shuffled",
        "label_noise",
    ),
    "other_dataset": ("other_hand",),
    "sorted_split": ("missing_class", "label_noise"),
}
"""What a cause looks like to rules that do not know of it: remarks beside it."""
OF_LABELS = ("labels_shuffled", "label_noise")
"""Of a part that is judged on pictures it should not be, not even that: who dropped such rows would mend nothing."""


def diagnose(
    *,
    model: Any = None,
    train: Any = None,
    validation: Any = None,
    test: Any = None,
    history: Any = None,
    recipe: Recipe | None = None,
) -> Diagnosis:
    """Why is the accuracy what it is? Looks at what is given; the more is given, the surer it is.

    Args:
        model: a Keras model, a module of PyTorch, anything with predict_proba or predict, or a function x -> outputs.
        train: (x, y) as they went into `model.fit`: arrays, frames or tensors; x of shape (n, ...), y of
            shape (n,), (n, 1) or (n, classes). Or Digits.
        validation: likewise, what training was watched on.
        test: likewise, what the model was judged on.
        history: what `model.fit` returned, its `.history`, the table of a CSVLogger, or one mapping an
            epoch.
        recipe: how tenfold trained the model, where it did.

    Returns:
        A Diagnosis: print it, or look at `.findings`, `.cause` and `.json()`.

    Raises:
        UsageError: nothing to look at, or what was given is not what it should be.
    """
    started = time.perf_counter()
    # A stranger's model may warn of anything at each question: that is nobody's concern here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evidence = _evidence(model, train, validation, test, history, recipe)
        findings = _ordered(_all(evidence))
        looked_at = _looked_at(evidence)
    return Diagnosis(tuple(findings), looked_at, time.perf_counter() - started)


def _evidence(
    model: Any, train: Any, validation: Any, test: Any, history: Any, recipe: Recipe | None
) -> Evidence:
    """What was given, read."""
    if model is None:
        model = getattr(history, "model", None)
    given = {"train": train, "validation": validation, "test": test}
    parts = {name: part for name, value in given.items() if (part := part_of(name, value))}
    if not parts and model is None and history is None:
        raise UsageError(
            "diagnose: expected a model, arrays or a history, received none. "
            "For example: tenfold.diagnose(model=model, train=(x_train, y_train), history=history)"
        )
    looked_at, trained = model_of(model) if model is not None else None, history_of(history)
    if trained is None and looked_at is not None:
        trained = history_of(getattr(looked_at.last_estimator, "loss_curve_", None))
    if recipe is not None:
        # Of a run that is not finished there is no model, and its recipe says what it is to be.
        looked_at = looked_at or Model("recipe", None)
        images = len(parts["train"]) if "train" in parts else 0
        looked_at = with_recipe(
            looked_at, recipe, images=images, epochs=trained.epochs if trained else 0
        )
    return Evidence(parts, looked_at, trained)


def _all(evidence: Evidence) -> list[Finding]:
    findings: list[Finding] = []
    # Of strangers' arrays what overflows is a finding, not an error. Products as small as the probes' take ten
    # times as long on a busy machine where threads share them.
    with np.errstate(all="ignore"), threadpool_limits(1, user_api="blas"):
        for rule in RULES:
            findings += rule(evidence)
        # The control run takes seconds, and arrays that are certainly wrong explain enough.
        if not any(f.fault and f.certainty >= 0.9 and f.weight >= OF_ARRAYS for f in findings):
            findings += backend.backend(evidence)
    if not any(finding.fault for finding in findings):
        findings += _unexplained(evidence)
    return findings


def _ordered(findings: list[Finding]) -> list[Finding]:
    """Heaviest first; of one cause the surest; what a heavier fault brings with it is a remark."""
    best: dict[str, Finding] = {}
    for finding in findings:
        kept = best.get(finding.cause)
        if kept is None or (finding.fault, finding.certainty) > (kept.fault, kept.certainty):
            best[finding.cause] = finding
    heaviest = max((f.weight for f in best.values() if f.fault), default=0.0)
    brought = {b for cause in best for b in BROUGHT_ALONG.get(cause, ()) if best[cause].fault}
    shown = [
        replace(f, fault=False)
        if f.cause in brought or (f.cause in SYMPTOMS and f.weight < heaviest)
        else f
        for f in best.values()
        if not (f.cause in brought and f.cause in OF_LABELS and "share_train" not in f.numbers)
    ]
    return sorted(shown, key=lambda finding: (not finding.fault, -finding.weight))


def _unexplained(evidence: Evidence) -> Iterable[Finding]:
    """An accuracy below what a probe reaches, for which no rule has an explanation."""
    for part in evidence.parts.values():
        answers, reach = evidence.answers(part), evidence.within_reach
        if reach is None and evidence.train is None:
            # What real digits tell of these, where they are digits.
            reach, _ = evidence.as_digits(part)
        if answers is None or reach is None or not answers.accuracy.total:
            continue
        # A small network on few images stays some points behind the probe.
        if answers.accuracy.interval()[1] < reach - 0.1:
            unseen = part is not evidence.train
            yield Finding(
                "unexplained",
                0.5,
                f"The model tells {answers.accuracy} of {part.name}, and a probe without any training {reach:.1%} of "
                "unseen rows."
                + (
                    " It answers the same to every picture: none reaches its outputs."
                    if answers.are_all_alike
                    else " More of the same training would not change it: the loss has stopped falling."
                    if not unseen and evidence.history is not None
                    else ""
                ),
                "# look at pictures that are told wrongly, with their labels: plt.imshow(x[i])",
            )
            return


def finite_range(x: NDArray[Any]) -> str:
    """The least and the greatest number in x, in words."""
    if x.dtype.kind == "f":
        x = x[np.isfinite(x)]
    return f"{float(x.min()):.4g} to {float(x.max()):.4g}" if x.size else "without any number"


def _rates(model: Model) -> str:
    """The learning rate; of a schedule, the first and the last."""
    if len(model.schedule) > 1 and model.schedule[0] != model.schedule[-1]:
        return f"{model.schedule[0]:.3g} to {model.schedule[-1]:.3g}"
    return f"{model.learning_rate:g}"


def _looked_at(evidence: Evidence) -> dict[str, str]:
    lines = {}
    for name, part in evidence.parts.items():
        answers = evidence.answers(part)
        told = (
            f", {answers.accuracy} told" if answers is not None and answers.accuracy.total else ""
        )
        lines[name] = f"x {part.x.shape} {part.x.dtype} {finite_range(part.x)}, y {part.form}{told}"
    model, history = evidence.model, evidence.history
    if model is not None:
        made = f"{len(model.layers)} layers, " if model.layers else ""
        known = [f"{made}{model.called}"]
        if model.optimizer and model.learning_rate:
            known += [f"{model.optimizer} {_rates(model)}", model.loss]
        lines["model"] = ", ".join(filter(None, known))
    if history is not None:
        lines["history"] = f"{history.epochs} epochs"
    return lines
