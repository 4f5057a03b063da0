"""A Network -> the plain keras.Model that a Keras user would have written, and its weights by our names.

The model takes pictures (n, 28, 28, 1) or (n, 28, 28), bytes or floats 0..255, scales them as its
first layer and gives logits. It is a Sequential, or a functional model where there is a Residual.
Its layers bear the names of the plan, so a variable's name is its layer's and its own: "dense_1/kernel".

Knows nothing about training. A Keras file is written here and never read: only our own classes
make models.
"""

import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tenfold.classifiers import places
from tenfold.errors import UsageError
from tenfold.files import Seal, write_bytes
from tenfold.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool,
    MaxPool,
    ReLU,
    Residual,
    Whitening,
)
from tenfold.network import INPUT_SHAPE, PIXEL_SCALE, Network, Step
from tenfold.weights import Member, Weights, check_weights

SUFFIX = ".keras"

# The weights are given, so Keras has none to draw: JAX would compile its generator anew for each
# shape, which took the seed network 2.4 s. `build` puts Keras's own default back into the layers.
_UNDRAWN = {"kernel_initializer": "zeros"}


def build(
    network: Network,
    weights: Weights,
    *,
    normalization: type[keras.Layer] = keras.layers.BatchNormalization,
) -> keras.Model:
    """The network as a Keras model with these weights.

    Args:
        network: what is built.
        weights: its arrays.
        normalization: the class of every BatchNorm; Keras's own, or one of its children that computes the same.

    Raises:
        ModelError: the weights do not belong to the network.
    """
    weights = check_weights(network, weights)
    scaling = keras.layers.Rescaling(PIXEL_SCALE, name="rescaling")
    if any(isinstance(step.layer, Residual) for step in network.plan):
        picture = keras.Input(INPUT_SHAPE)
        model = keras.Model(picture, _through(network.plan, scaling(picture), normalization))
    else:
        layers = [_layer(step, normalization) for step in network.plan]
        model = keras.Sequential([keras.Input(INPUT_SHAPE), scaling, *layers])
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dense | keras.layers.Conv2D):
            layer.kernel_initializer = keras.initializers.GlorotUniform()
    set_weights(model, weights)
    return model


def variables(model: keras.Model) -> dict[str, keras.Variable]:
    """The model's variables under the names of our parameters; Dropout's seeds are not among them."""
    return {f"{layer.name}/{v.name}": v for layer in model.layers for v in layer.weights}


@contextmanager
def computing(model: keras.Model, precision: str) -> Iterator[None]:
    """Within, the layers between the scaling and the logits compute in "bfloat16" or "float32".

    Keras's policy of mixed precision: their parameters stay float32, and so does what `normalization` keeps. A function
    that is traced within computes so for good.
    """
    *hidden, _logits = (
        layer
        for layer in model.layers
        if not isinstance(layer, keras.layers.InputLayer | keras.layers.Rescaling)
    )
    policy = "mixed_bfloat16" if precision == "bfloat16" else "float32"
    before = [layer.dtype_policy for layer in hidden]
    for layer in hidden:
        layer.dtype_policy = policy
    try:
        yield
    finally:
        for layer, kept in zip(hidden, before, strict=True):
            layer.dtype_policy = kept


def averages_of(model: keras.Model) -> dict[str, keras.Variable]:
    """A variable beside each one that the model trains, under the same name and with its value."""
    trained = {id(variable) for variable in model.trainable_variables}
    return {
        name: keras.Variable(copy_of(variable), trainable=False, name=f"average_{variable.name}")
        for name, variable in variables(model).items()
        if id(variable) in trained
    }


def take_statistics(model: keras.Model, pictures: Any) -> None:
    """Give every BatchNorm the mean and variance of these pictures (n, 28, 28, 1), 0..255, with dropout off."""
    kept = [(layer, layer.momentum) for layer in _of(model, keras.layers.BatchNormalization)]
    rates = [(layer, layer.rate) for layer in _of(model, keras.layers.Dropout)]
    for layer, _ in kept:
        layer.momentum = 0.0
    for layer, _ in rates:
        layer.rate = 0.0
    try:
        model(pictures, training=True)
    finally:
        for layer, momentum in kept:
            layer.momentum = momentum
        for layer, rate in rates:
            layer.rate = rate


def copy_of(variable: keras.Variable) -> NDArray[Any]:
    """What a variable holds now; PyTorch would let NumPy see through to what it will hold."""
    return np.asarray(variable).copy()


def set_weights(model: keras.Model, weights: Weights) -> None:
    """Give a model that `build` made the weights, which `check_weights` has seen."""
    for name, variable in variables(model).items():
        variable.assign(weights[name])


def save_keras(path: Path, members: Sequence[Member], *, shifts: int = 0) -> Seal:
    """Write a .keras file whose model takes pictures and gives the ten probabilities.

    `keras.models.load_model(path).predict(images)` is all that its reader needs. Written as
    `files.write_bytes` writes, so that a crash leaves no half of it.

    Args:
        path: the file.
        members: at least one; the model gives the mean of their probabilities.
        shifts: pixels; the model gives the mean over the picture at these `classifiers.places`.

    Raises:
        UsageError: `path` does not end in .keras.
        ModelError: weights do not belong to their network.
    """
    if path.suffix != SUFFIX:
        raise UsageError(
            f"{path}: expected a name ending in {SUFFIX}, by which Keras knows its own."
        )
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, path.name)
        answering(members, shifts=shifts).save(written)
        return write_bytes(path, written.read_bytes())


def answering(members: Sequence[Member], *, shifts: int = 0) -> keras.Model:
    """The Keras model that gives the ten probabilities: the mean over all members, at all places.

    Raises:
        ModelError: weights do not belong to their network.
    """
    models = [_with_softmax(build(*member)) for member in members]
    return models[0] if (len(models), shifts) == (1, 0) else _mean(models, shifts)


def _with_softmax(logits: keras.Model) -> keras.Model:
    return keras.Model(logits.inputs, keras.layers.Softmax(name="probabilities")(logits.outputs[0]))


def _mean(models: Sequence[keras.Model], shifts: int) -> keras.Model:
    """The mean of what all models say of the picture at all places."""
    picture = keras.Input(INPUT_SHAPE)
    padded = keras.layers.ZeroPadding2D(shifts)(picture)
    at_places = [
        keras.layers.Cropping2D(((shifts - down, shifts + down), (shifts - right, shifts + right)))(
            padded
        )
        for down, right in places(shifts)
    ]
    answers = [model(pictures) for model in models for pictures in at_places]
    return keras.Model(picture, keras.layers.Average(name="mean")(answers))


def _of(model: keras.Model, kind: type[keras.Layer]) -> list[Any]:
    return [layer for layer in model.layers if isinstance(layer, kind)]


def _through(steps: tuple[Step, ...], picture: Any, normalization: type[keras.Layer]) -> Any:
    for step in steps:
        layer = _layer(step, normalization)
        if isinstance(step.layer, Residual):
            picture = layer([picture, _through(step.inside, picture, normalization)])
        else:
            picture = layer(picture)
    return picture


def _layer(step: Step, normalization: type[keras.Layer]) -> keras.Layer:
    layers, name = keras.layers, step.name
    match step.layer:
        case Dense(units, bias):
            return layers.Dense(units, use_bias=bias, name=name, **_UNDRAWN)
        case Conv2D(filters, kernel, stride, padding, bias):
            trained = not isinstance(step.layer, Whitening)
            settings = {"use_bias": bias, "trainable": trained, "name": name}
            return layers.Conv2D(filters, kernel, stride, padding, **settings, **_UNDRAWN)
        case MaxPool(size):
            return layers.MaxPooling2D(size, name=name)
        case GlobalAveragePool():
            return layers.GlobalAveragePooling2D(name=name)
        case BatchNorm(momentum, epsilon):
            return normalization(momentum=momentum, epsilon=epsilon, name=name)
        case ReLU():
            return layers.ReLU(name=name)
        case Dropout(rate):
            # A seed of its own: without one, PyTorch draws from the generator of the whole process.
            return layers.Dropout(rate, seed=zlib.crc32(name.encode()) >> 1, name=name)
        case Flatten():
            return layers.Flatten(name=name)
        case Residual():
            return layers.Add(name=name)
