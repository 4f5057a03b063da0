"""Causes in how the model was put together: outputs and activations."""

from collections.abc import Iterator

import numpy as np

from tenfold.digits import CLASSES
from tenfold.evaluation.diagnosis import fixes
from tenfold.evaluation.diagnosis.answers import Answers
from tenfold.evaluation.diagnosis.evidence import Evidence
from tenfold.evaluation.diagnosis.findings import Finding
from tenfold.evaluation.diagnosis.models import LINEAR, SCALING, Layer, Model, numpy_of
from tenfold.evaluation.diagnosis.outcome import FEW_STEPS, below_reach, told

CROSS_ENTROPIES = ("categorical_crossentropy", "sparse_categorical_crossentropy")
# Softmax of ten probabilities gives at most e / (e + 9) to one of them: the loss cannot fall below 1.461.
SOFTMAX_OF_SOFTMAX = float(np.e / (np.e + 9))
# No more than whatever asks a model takes at a time.
ONE_BATCH = 32
LOSS_OF_SOFTMAX_TWICE = float(-np.log(SOFTMAX_OF_SOFTMAX))


def compiled_anew(evidence: Evidence) -> str:
    """Code that compiles the model for the labels there are."""
    train = evidence.train
    return fixes.compiled(evidence.model, train.form if train is not None else "")


def outputs(evidence: Evidence) -> Iterator[Finding]:
    """Fewer outputs than classes, or one for all."""
    train, model = evidence.train, evidence.model
    answers = evidence.answers(train)
    if model is None or train is None or train.labels is None or answers is None:
        return
    units = answers.outputs.shape[1]
    if units == 0 or evidence.classes <= 2:
        return
    labels = train.labels
    beyond = labels.min() >= 0 and units <= labels.max() < CLASSES
    if units < 2 or beyond or (units > 100 and model.kind == "keras"):
        yield Finding(
            "wrong_output_units",
            0.95,
            f"The network has {units} output{'s' if units > 1 else ''} for {evidence.classes} classes.",
            f"{fixes.last_layer(model)}: one output for each class\n{compiled_anew(evidence)}",
            {"outputs": units, "classes": evidence.classes},
        )


def output_activation(evidence: Evidence) -> Iterator[Finding]:
    """Something other than softmax, or nothing, behind the last weights."""
    model, answers = evidence.model, first_answers(evidence)
    if model is None or model.kind == "recipe" or (answers and answers.outputs.shape[1] < 2):
        return
    if _over_the_batch(model) or _sums_over_the_batch(evidence):
        yield Finding(
            "output_activation",
            0.95,
            "The softmax is taken over axis 0, the pictures of a batch, and not over the classes of each: what is told of a "
            "picture depends on those beside it.",
            fixes.last_layer(model)
            if model.kind == "callable"
            else "keras.layers.Softmax()   # axis=-1, its default; keras.ops.softmax(x, axis=-1) in code of your own",
        )
        return
    if answers and answers.are_probabilities:
        return
    stood = [name for name in model.output_activations if name not in ("softmax", "log_softmax")]
    seen = _as_seen(answers) if answers is not None and answers.finite else ""
    # Every output 0 or more, and many exactly 0, is a ReLU, whatever the layers are called.
    name = (
        stood[-1] if stood else (seen if not model.output_activations and not model.ordered else "")
    )
    softmax = "softmax" in model.output_activations
    if name == "sigmoid" and not stood and not below_reach(evidence):
        return  # of a function whose loss is not known: it may have asked ten questions, and did so well
    asked_apart = model.loss.startswith("binary") or model.loss == "mean_squared_error"
    if name in ("", "linear") or softmax or (name == "sigmoid" and asked_apart):
        return
    never = ""
    if answers is not None:
        missing = [
            c for c in range(answers.outputs.shape[1]) if c not in set(answers.told.tolist())
        ]
        never = (
            f" Of the classes, it never tells {', '.join(map(str, missing))}." if missing else ""
        )
    what = {
        "relu": "A ReLU cannot say less than 0, and where it says 0 nothing is learnt: such a class is lost.",
        "sigmoid": "Sigmoids do not compete: ten of them are ten yes-or-no answers, not one of ten.",
        "tanh": "It cannot go beyond 1, so no answer gets surer than e to the 2.",
    }.get(name, "Its outputs are no probabilities, and no logits either.")
    yield Finding(
        "output_activation",
        0.95 if stood else 0.7,
        f"The last activation is {name}. {what}{never}",
        fixes.last_layer(model),
    )


def _over_the_batch(model: Model) -> bool:
    return model.ordered and any(
        layer.kind == "Softmax" and layer.settings.get("axis") == 0 for layer in model.layers
    )


def _sums_over_the_batch(evidence: Evidence) -> bool:
    """Whether outputs of one batch sum to 1 over its pictures, for each class, as those of no sound network do."""
    part = next(iter(evidence.parts.values()), None)
    answers = evidence.answers(part)
    if part is None or answers is None or answers.are_probabilities or answers.outputs.shape[1] < 2:
        return False
    if not answers.finite or answers.outputs.min() < 0 or len(part) < ONE_BATCH:
        return False
    try:
        outputs = evidence.ask(part.x[part.rows(ONE_BATCH)]).astype(np.float64)
    except Exception:  # a stranger's model that takes no fewer rows
        return False
    return bool(np.abs(outputs.sum(axis=0) - 1).max() < 1e-3)


def _as_seen(answers: Answers) -> str:
    o = answers.outputs
    if o.shape[1] < 2 or answers.are_probabilities:
        return ""
    if o.min() == 0 and (o == 0).mean() > 0.05:
        return "relu"
    if o.min() >= 0 and o.max() <= 1 and o.max() > o.min():
        return "sigmoid"
    return ""


def softmax_twice(evidence: Evidence) -> Iterator[Finding]:
    """Two softmaxes, the second in the network or in the loss."""
    model, answers = evidence.model, first_answers(evidence)
    if model is None or model.kind == "recipe":
        return
    softmaxes = sum(name == "softmax" for name in model.output_activations)
    probabilities = answers is not None and answers.are_probabilities
    squeezed = (
        answers is not None
        and probabilities
        and answers.outputs.shape[1] == 10
        # Short of it, ten probabilities are merely unsure.
        and 0.85 * SOFTMAX_OF_SOFTMAX <= answers.outputs.max() <= SOFTMAX_OF_SOFTMAX + 1e-4
        and answers.accuracy.share > 0.3
    )
    floor = _stuck_at_floor(evidence)
    in_loss = (
        model.from_logits is True
        and (softmaxes > 0 or probabilities)
        and "crossentropy" in model.loss
    )
    if not (softmaxes > 1 or squeezed or in_loss or floor):
        return
    if softmaxes > 1 or squeezed:
        assert_outputs = (
            f"no probability is above {answers.outputs.max():.3f}, and two softmaxes give {SOFTMAX_OF_SOFTMAX:.3f} at most"
            if squeezed and answers
            else f"{softmaxes} softmaxes follow each other"
        )
        why, fix = (
            f"In the network: {assert_outputs}.",
            f"{fixes.last_layer(model)}, and no Softmax behind it",
        )
    elif in_loss:
        why = (
            f"The network gives probabilities, and {model.loss} with from_logits=True applies softmax to them again. "
            "On TensorFlow Keras warns of it and takes the logits before the softmax; on JAX and torch the network learns less."
        )
        fix = compiled_anew(evidence) + "   # from_logits=False, its default"
    else:
        why, fix = (
            "The network gives probabilities, and the loss treats them as logits.",
            compiled_anew(evidence),
        )
    seen = (
        f" The training loss stays above {LOSS_OF_SOFTMAX_TWICE:.3f} = ln(e + 9) - 1, its least value then."
        if floor
        else ""
    )
    yield Finding("softmax_twice", 0.97 if (softmaxes > 1 or in_loss) else 0.85, why + seen, fix)


def _stuck_at_floor(evidence: Evidence) -> bool:
    """High accuracy at a loss that no network with one softmax has: right answers cost next to nothing."""
    history = evidence.history
    if history is None or history.loss is None or history.accuracy is None or not len(history.loss):
        return False
    if evidence.model is not None and "crossentropy" not in (evidence.model.loss or "crossentropy"):
        return False
    loss, accuracy = float(history.loss[-1]), float(history.accuracy[-1])
    answers = evidence.answers(evidence.train)
    # A network that has learnt little has such a loss too, and its own probabilities say so.
    own = answers.log_loss if answers is not None else None
    if (own is not None and loss - own < 0.7) or (own is None and accuracy < 0.9):
        return False
    # Each wrong answer costs at most 1 more than the least loss.
    expected = LOSS_OF_SOFTMAX_TWICE + (1 - accuracy)
    penalised = evidence.model is not None and any(
        _penalised(layer.settings) for layer in evidence.model.layers
    )
    return (
        accuracy > 0.6 and LOSS_OF_SOFTMAX_TWICE - 1e-3 <= loss <= expected + 0.05 and not penalised
    )


def _penalised(settings: dict[str, object]) -> bool:
    return any("regularizer" in name and value for name, value in settings.items())


def logits_as_probabilities(evidence: Evidence) -> Iterator[Finding]:
    """Linear outputs under a loss that expects probabilities."""
    model, answers = evidence.model, first_answers(evidence)
    if model is None or model.kind != "keras" or model.from_logits is not False:
        return
    if model.loss not in CROSS_ENTROPIES or model.output_activations:
        return
    if answers is not None and answers.finite and _as_seen(answers) == "sigmoid":
        return  # a layer of somebody's own keeps them within 0..1
    if model.ordered and model.weighted:
        certainty = 0.97
    elif answers is not None and answers.finite and answers.outputs.min() < 0:
        certainty = 0.95
    else:
        return
    if answers is not None and answers.are_probabilities:
        return
    seen = (
        f" Outputs go from {np.nanmin(answers.outputs):.3g} to {np.nanmax(answers.outputs):.3g}."
        if answers and answers.outputs.size and answers.finite
        else ""
    )
    yield Finding(
        "logits_as_probabilities",
        certainty,
        f"The last layer has no softmax, and {model.loss} takes its outputs for probabilities (from_logits=False).{seen}",
        f"model.compile('adam', keras.losses.{_class_of(model.loss)}(from_logits=True), metrics=['accuracy'])",
    )


def _class_of(loss: str) -> str:
    return "".join(word.capitalize() for word in loss.split("_"))


def no_nonlinearity(evidence: Evidence) -> Iterator[Finding]:
    """Two or more layers with weights, and nothing but lines between them."""
    model, train = evidence.model, evidence.train
    if model is not None and getattr(model.last_estimator, "activation", "") == "identity":
        yield Finding(
            "no_nonlinearity",
            0.97,
            "activation='identity': all layers together are one linear layer, which tells 92 % of MNIST at best.",
            f"{fixes.set_to(model, 'activation', 'relu')}",
        )
    if model is None or model.kind != "keras" or not model.weighted:
        return
    hidden = model.layers[: _place_of_last(model)]
    bent = [layer for layer in hidden if layer.kind not in LINEAR or layer.activation != "linear"]
    if any(layer.is_keras_own for layer in bent):
        return
    if len(model.weighted) == 1:
        if model.ordered:
            yield Finding(
                "no_nonlinearity",
                0.9,
                "One layer with weights and no hidden one: it divides digits by planes, which tells 92 % of MNIST at best.",
                "keras.layers.Dense(64, activation='relu')   # before the last layer",
                fault=False,
            )
        return
    straight = _is_affine(evidence, train.x) if train is not None else None
    if straight is False or (straight is None and (bent or not model.ordered)):
        return
    yield Finding(
        "no_nonlinearity",
        0.97 if model.ordered else 0.9,
        f"{len(model.weighted)} layers with weights, and "
        + (f"{bent[0].kind} between them bends nothing" if bent else "no activation between them")
        + ": together they are one linear layer, which tells 92 % of MNIST at best.",
        "keras.layers.Dense(64, activation='relu')   # every hidden layer",
    )


def frozen_layers(evidence: Evidence) -> Iterator[Finding]:
    """Layers whose weights no step changed, in a network that does worse than it could."""
    model = evidence.model
    if model is None or model.kind != "keras" or not below_reach(evidence):
        return
    fixed = [layer for layer in model.layers if _is_fixed(layer)]
    cut_off = [
        layer for layer in model.weighted if layer not in fixed and _never_moved(model, layer)
    ]
    if len(cut_off) == sum(layer not in fixed for layer in model.weighted):
        cut_off = []  # nothing moved at all: it was not trained, or is dead
    why = {
        "have trainable=False": fixed,
        "have biases that are 0 to the last bit: no gradient reaches them": cut_off,
    }
    said = [
        f"{len(layers)} of the layers with weights {what} "
        f"({', '.join(str(getattr(layer.itself, 'name', layer.kind)) for layer in layers)})"
        for what, layers in why.items()
        if layers
    ]
    if said:
        yield Finding(
            "frozen_layers",
            0.9,
            f"{'; '.join(said)}. They stay as they began.{told(evidence.answers(evidence.train))}",
            "model.trainable = True   # of all layers; and no stop_gradient behind them\n"
            "model.compile(...)   # what is trainable counts from here on\nmodel.fit(...)",
            {"frozen": len(fixed) + len(cut_off)},
        )


def _is_fixed(layer: Layer) -> bool:
    """Whether a layer multiplies by weights that are not to be trained."""
    weights = [w for w in getattr(layer.itself, "weights", ()) if len(w.shape) > 1]
    return layer.kind not in SCALING and bool(weights) and not any(w.trainable for w in weights)


def _never_moved(model: Model, layer: Layer) -> bool:
    """Whether a bias that began with 0 is still 0, whole, after many steps."""
    bias = getattr(layer.itself, "bias", None)
    began = layer.settings.get("bias_initializer")
    name = began.get("class_name") if isinstance(began, dict) else began
    if bias is None or not model.steps or model.steps < FEW_STEPS or str(name).lower() != "zeros":
        return False
    return not np.any(numpy_of(bias))


def _place_of_last(model: Model) -> int:
    last = model.weighted[-1]
    return max(i for i, layer in enumerate(model.layers) if layer is last)


def _is_affine(
    evidence: Evidence, x: "np.ndarray[tuple[int, ...], np.dtype[np.generic]]"
) -> bool | None:
    """Whether f(a) - f(b) + f(c) = f(a - b + c), in logits or logarithms; None where it cannot be asked."""
    if len(x) < 30:
        return None
    a, b, c = (x[i : i + 30 : 3].astype(np.float32) for i in range(3))
    try:
        parts = [evidence.ask(rows).astype(np.float64) for rows in (a, b, c, a - b + c)]
    except Exception:  # a model that takes no such values
        return None
    if any(p.ndim != 2 or not np.isfinite(p).all() for p in parts):
        return None
    if all((p > 0).all() and np.abs(p.sum(axis=1) - 1).max() < 1e-3 for p in parts):
        if min(p.min() for p in parts) < 1e-30:
            return None  # logarithms of what float32 has rounded say nothing
        parts = [np.log(p) - np.log(p).mean(axis=1, keepdims=True) for p in parts]
    expected = parts[0] - parts[1] + parts[2]
    apart = np.abs(expected - parts[3]).mean()
    return bool(apart < 0.02 * max(np.abs(expected).mean(), 1e-9))


def first_answers(evidence: Evidence) -> Answers | None:
    """The model's answers to whichever part there is."""
    return next(
        (a for part in evidence.parts.values() if (a := evidence.answers(part)) is not None), None
    )


def units_of(evidence: Evidence) -> int | None:
    """How many outputs the model has."""
    answers = first_answers(evidence)
    if answers is not None and answers.outputs.shape[1]:
        return int(answers.outputs.shape[1])
    return evidence.model.units if evidence.model else None
