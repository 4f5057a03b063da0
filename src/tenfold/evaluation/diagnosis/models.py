"""A model, whatever it is -> how it is put together and what it answers.

A Keras model is only looked at through its own attributes; nothing here imports Keras. What is asked
about may be subclassed or of an older version, so every fact may be missing.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import UsageError
from tenfold.evaluation.diagnosis.compiled import loss_of, metrics_of, settings_of
from tenfold.evaluation.diagnosis.foreign import (
    ask_module,
    in_their_columns,
    is_module,
    training_of,
)
from tenfold.network import Network
from tenfold.recipe import Recipe

Outputs = NDArray[Any]
BATCH = 256
SCHEDULED = 40

WITH_WEIGHTS = (
    "Dense",
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "SeparableConv2D",
    "DepthwiseConv2D",
    "EinsumDense",
)
"""Layers that are linear in what they are given, up to their activation."""
LINEAR = (
    *WITH_WEIGHTS, "InputLayer", "Flatten", "Reshape", "Permute", "Dropout", "SpatialDropout2D", "GaussianNoise",
    "BatchNormalization", "LayerNormalization", "Rescaling", "Normalization", "ZeroPadding2D", "Cropping2D", "UpSampling2D",
    "AveragePooling2D", "GlobalAveragePooling2D", "Add", "Concatenate", "Average", "Resizing", "RandomRotation",
    "RandomTranslation", "RandomZoom", "RandomFlip", "ActivityRegularization",
)  # fmt: skip
SCALING = ("Rescaling", "Normalization", "BatchNormalization", "LayerNormalization")
BEFORE_WEIGHTS = (
    "InputLayer",
    "Flatten",
    "Reshape",
    "Permute",
    "Rescaling",
    "Normalization",
    "Lambda",
    "ZeroPadding2D",
    "Cropping2D",
    "CenterCrop",
    "Resizing",
    "UpSampling2D",
    "AveragePooling2D",
    "MaxPooling2D",
)


@dataclass(frozen=True)
class Layer:
    """A layer by its class's name, its settings, and its activation's name ("linear" without one)."""

    kind: str
    settings: dict[str, Any]
    activation: str
    itself: Any = None

    @property
    def is_keras_own(self) -> bool:
        """Whether both the layer and its activation, where it has one, are Keras's."""
        activation = getattr(self.itself, "activation", None)
        made = [type(self.itself), *([activation] if activation is not None else [])]
        return all(str(getattr(m, "__module__", "")).startswith("keras.") for m in made)


@dataclass(frozen=True)
class Model:
    """What is known of a model.

    Attributes:
        kind: "keras", "recipe" (tenfold's own) or "callable".
        answer: x (n, ...) -> outputs (n, ...), or None where there is only a description.
        layers: in order where `ordered`, else as they were made.
        ordered: whether data pass through `layers` one after the other, as far as can be known.
        operations: whether something that is no layer, such as a division, is done to data before the first weights.
        loss, from_logits, metrics: what it was compiled with; "" , None and () where unknown.
        optimizer, learning_rate, weight_decay, momentum, steps: likewise; `steps` were taken in all.
        schedule: the learning rate at steps evenly spread over those taken; () where it has no schedule.
        itself: the model.
    """

    kind: str
    answer: Callable[[NDArray[Any]], Outputs] | None
    layers: tuple[Layer, ...] = ()
    ordered: bool = False
    operations: bool = False
    loss: str = ""
    from_logits: bool | None = None
    metrics: tuple[str, ...] = ()
    optimizer: str = ""
    learning_rate: float | None = None
    weight_decay: float = 0.0
    momentum: float = 0.0
    steps: int | None = None
    schedule: tuple[float, ...] = ()
    itself: Any = field(default=None, repr=False)

    @property
    def weighted(self) -> tuple[Layer, ...]:
        """The layers that multiply by weights."""
        return tuple(layer for layer in self.layers if layer.kind in WITH_WEIGHTS)

    @property
    def estimator(self) -> Any | None:
        """The classifier of scikit-learn, or of its form, that was given itself or by a method of it."""
        owner = getattr(self.itself, "__self__", self.itself)
        fits = callable(getattr(owner, "fit", None)) and callable(
            getattr(owner, "get_params", None)
        )
        return owner if self.kind == "callable" and fits else None

    @property
    def called(self) -> str:
        """What it is in a word: its kind, and of a classifier of scikit-learn the name of its class."""
        return self.kind if self.estimator is None else type(self.estimator).__name__

    @property
    def last_estimator(self) -> Any | None:
        """The same, of a pipeline the last."""
        pipeline = self.estimator
        return pipeline[-1] if hasattr(pipeline, "named_steps") else pipeline  # type: ignore[index]

    @property
    def units(self) -> int | None:
        """The number of outputs by the last layer's settings."""
        units = self.weighted[-1].settings.get("units") if self.weighted else None
        return int(units) if units is not None else None

    @property
    def output_activations(self) -> tuple[str, ...]:
        """What stands behind the last weights: activations by name, those that are linear left out."""
        if not self.ordered or not self.weighted:
            return ()
        last = max(i for i, layer in enumerate(self.layers) if layer.kind in WITH_WEIGHTS)
        names = [layer.activation for layer in self.layers[last:]]
        return tuple(name for name in names if name != "linear")


def model_of(given: Any) -> Model:
    """A Keras model, a module of PyTorch, something with predict_proba or predict, or a function -> Model.

    Raises:
        UsageError: it is none of these.
    """
    if isinstance(given, Model):
        return given
    if _is_keras(given):
        return _of_keras(given)
    if is_module(given):
        return _of_callable(lambda x: ask_module(given, x), given)
    for name in ("predict_proba", "predict"):
        if callable(getattr(given, name, None)):
            return _of_callable(getattr(given, name), given)
    if callable(given):
        return _of_callable(given, given)
    raise UsageError(
        f"model: expected a Keras model, a classifier or a function x -> outputs, received {type(given).__name__}. "
        "Give the model itself, not its name or its weights."
    )


def _of_callable(answer: Callable[[NDArray[Any]], Outputs], given: Any) -> Model:
    model = Model("callable", answer, itself=given)
    classes = getattr(model.estimator, "classes_", None)
    if classes is not None and getattr(answer, "__name__", "") == "predict_proba":
        model = replace(model, answer=lambda x: in_their_columns(np.asarray(answer(x)), classes))
    return replace(model, **training_of(model.last_estimator))


def with_recipe(model: Model, recipe: Recipe, *, images: int, epochs: int) -> Model:
    """The model together with what tenfold's recipe says of how it was made and trained, for `epochs` on `images`."""
    layers = [Layer("Rescaling", {}, "linear"), *_of_network(recipe.network)]
    optimizer = recipe.optimizer
    return replace(
        model,
        kind="recipe",
        layers=tuple(layers),
        ordered=True,
        loss="categorical_crossentropy",
        from_logits=True,
        optimizer=type(optimizer).__name__,
        learning_rate=float(getattr(optimizer, "learning_rate", 0.0)) or None,
        weight_decay=float(getattr(optimizer, "weight_decay", 0.0)),
        momentum=float(getattr(optimizer, "momentum", 0.0)),
        steps=epochs * (images // min(recipe.batch_size, images)) if images and epochs else None,
    )


def _of_network(network: Network) -> Iterator[Layer]:
    names = {"ReLU": "relu"}
    for step in network.plan:
        kind = type(step.layer).__name__
        settings = {k: v for k, v in vars(step.layer).items() if k != "layers"}
        yield Layer(kind, settings, names.get(kind, "linear"))
        for inner in step.inside:
            inside = type(inner.layer).__name__
            yield Layer(inside, dict(vars(inner.layer)), names.get(inside, "linear"))


def _is_keras(given: Any) -> bool:
    """Whether a class called Model of Keras is among its ancestors."""
    return any(
        c.__name__ in ("Model", "Sequential", "Functional")
        and c.__module__.split(".")[0] in ("keras", "tf_keras", "tensorflow")
        for c in type(given).__mro__
    )


def _operations_first(model: Any) -> bool:
    layers = {id(layer) for layer in getattr(model, "layers", ())}
    for operation in getattr(model, "operations", ()):
        if id(operation) not in layers:
            return True
        if getattr(operation, "weights", ()):
            break
    return False


def _of_keras(model: Any) -> Model:
    ordered = any(c.__name__ in ("Sequential", "Functional") for c in type(model).__mro__)
    optimizer = getattr(model, "optimizer", None)
    settings = settings_of(optimizer) if optimizer is not None else {}
    loss, from_logits = loss_of(model)
    return Model(
        "keras",
        lambda x: _predict(model, x),
        layers=tuple(_layers(getattr(model, "layers", ()))),
        ordered=ordered,
        operations=_operations_first(model),
        loss=loss,
        from_logits=from_logits,
        metrics=tuple(metrics_of(model)),
        optimizer=type(optimizer).__name__ if optimizer is not None else "",
        learning_rate=_rate_of(optimizer, settings),
        weight_decay=_number(settings.get("weight_decay")) or 0.0,
        momentum=_number(settings.get("momentum")) or 0.0,
        steps=_whole(getattr(optimizer, "iterations", None)),
        schedule=_schedule_of(optimizer),
        itself=model,
    )


def _predict(model: Any, x: NDArray[Any]) -> Outputs:
    return np.asarray(model.predict(x, batch_size=BATCH, verbose=0))


def _layers(layers: Sequence[Any]) -> Iterator[Layer]:
    """Every layer, those inside of others too; what wraps them is left out."""
    for layer in layers:
        inside = getattr(layer, "layers", None)
        if isinstance(inside, (list, tuple)) and inside:
            yield from _layers(inside)
        else:
            yield Layer(type(layer).__name__, settings_of(layer), activation_of(layer), layer)


def activation_of(layer: Any) -> str:
    """The name of what a layer does behind its weights; "linear" where nothing."""
    kind = type(layer).__name__
    own = {"ReLU": "relu", "Softmax": "softmax", "LeakyReLU": "leaky_relu", "PReLU": "prelu", "ELU": "elu"}  # fmt: skip
    if kind in own:
        return own[kind]
    activation = getattr(layer, "activation", None)
    if activation is None:
        return "linear"
    name = getattr(activation, "__name__", None) or type(activation).__name__
    # TensorFlow's own softmax is called softmax_v2.
    return own.get(str(name), str(name).removesuffix("_v2"))


def _rate_of(optimizer: Any, settings: dict[str, Any]) -> float | None:
    """The learning rate; of a schedule, the one it begins with."""
    if optimizer is None:
        return None
    given = settings.get("learning_rate", getattr(optimizer, "learning_rate", None))
    if isinstance(given, dict):
        inner = given.get("config", {})
        given = max(
            (v for k, v in inner.items() if "learning_rate" in k and isinstance(v, (int, float))),
            default=None,
        )
    return _number(given) or max(_schedule_of(optimizer), default=None)


def _schedule_of(optimizer: Any) -> tuple[float, ...]:
    """What a schedule gave, at SCHEDULED steps from the first to the last that was taken."""
    schedule = getattr(optimizer, "_learning_rate", None)
    steps = _whole(getattr(optimizer, "iterations", None)) if callable(schedule) else None
    if not steps or schedule is None:
        return ()
    try:
        return tuple(
            float(numpy_of(schedule(float(step)))) for step in np.linspace(0, steps - 1, SCHEDULED)
        )
    except Exception:  # a schedule of somebody's own
        return ()


def _number(value: Any) -> float | None:
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def _whole(value: Any) -> int | None:
    number = _number(numpy_of(value)) if value is not None else None
    return None if number is None else int(number)


def numpy_of(tensor: Any) -> Any:
    """A tensor of whatever computes for Keras -> NumPy's."""
    keras = sys.modules.get("keras")
    if keras is not None and not isinstance(tensor, (np.ndarray, int, float)):
        try:
            return keras.ops.convert_to_numpy(tensor)
        except (TypeError, ValueError, AttributeError):
            pass
    return np.asarray(tensor)
