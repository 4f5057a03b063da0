"""The ONNX graph's layers beside those of Keras."""

import numpy as np
import pytest

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
)
from tenfold.modelfile import OnnxClassifier
from tenfold.modelfile.onnx_graph import to_onnx
from tenfold.network import Network


@pytest.fixture(scope="module")
def keras():
    import keras

    return keras


# Each: the network without its last Dense(10), and the same as a Keras user writes it.
LAYERS = {
    "dense": ([Dense(7), ReLU()], lambda k: [k.Flatten(), k.Dense(7, activation="relu")]),
    "dense without bias": (
        [Dense(5, bias=False)],
        lambda k: [k.Flatten(), k.Dense(5, use_bias=False)],
    ),
    "same": ([Conv2D(3)], lambda k: [k.Conv2D(3, 3, padding="same"), k.Flatten()]),
    "valid": ([Conv2D(3, 5, padding="valid")], lambda k: [k.Conv2D(3, 5), k.Flatten()]),
    "even same": ([Conv2D(2, 4)], lambda k: [k.Conv2D(2, 4, padding="same"), k.Flatten()]),
    "strided same": (
        [Conv2D(2, 3, 2), Conv2D(3, 5, 3)],
        lambda k: [
            k.Conv2D(2, 3, strides=2, padding="same"),
            k.Conv2D(3, 5, strides=3, padding="same"),
            k.Flatten(),
        ],
    ),
    "even strided same": (
        [Conv2D(2, 2, 3), Conv2D(2, 4, 2)],
        lambda k: [
            k.Conv2D(2, 2, strides=3, padding="same"),
            k.Conv2D(2, 4, strides=2, padding="same"),
            k.Flatten(),
        ],
    ),
    "strided valid without bias": (
        [Conv2D(2, 3, 4, "valid", bias=False)],
        lambda k: [k.Conv2D(2, 3, strides=4, use_bias=False), k.Flatten()],
    ),
    "pool with a remainder": ([MaxPool(3)], lambda k: [k.MaxPooling2D(3), k.Flatten()]),
    "global average": (
        [Conv2D(6), GlobalAveragePool()],
        lambda k: [k.Conv2D(6, 3, padding="same"), k.GlobalAveragePooling2D()],
    ),
    "batch norm of pictures": (
        [Conv2D(3), BatchNorm(), ReLU()],
        lambda k: [k.Conv2D(3, 3, padding="same"), k.BatchNormalization(), k.ReLU(), k.Flatten()],
    ),
    "batch norm of rows": (
        [Dense(6), BatchNorm(epsilon=0.2)],
        lambda k: [k.Flatten(), k.Dense(6), k.BatchNormalization(epsilon=0.2)],
    ),
    "dropout": ([Dropout(0.5), Flatten()], lambda k: [k.Dropout(0.5), k.Flatten()]),
}


def assert_same(network, model, weights, images):
    """Give Keras the weights in the order in which it made its own, and ask both."""
    for variable, parameter in zip(model.weights, network.parameters, strict=True):
        variable.assign(weights[parameter.name])
    expected = np.asarray(model(images[..., None].astype("float32") / 255, training=False))
    answer = OnnxClassifier(to_onnx([(network, weights)]), source="test").predict_proba(images)
    # Both compute in float32, in another order of sums.
    assert answer == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("ours", "theirs"), LAYERS.values(), ids=LAYERS)
def test_each_layer_is_keras_own(keras, draw_weights, noise, ours, theirs):
    network = Network(*ours, Dense(10))
    last = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((28, 28, 1)), *theirs(keras.layers), last])
    assert_same(network, model, draw_weights(network), noise)


def test_a_residual_is_keras_add(keras, draw_weights, noise):
    network = Network(
        Conv2D(3, 3, 2), Residual(Conv2D(3, 2), BatchNorm(), ReLU()), GlobalAveragePool(), Dense(10)
    )
    inputs = keras.Input((28, 28, 1))
    shortcut = keras.layers.Conv2D(3, 3, strides=2, padding="same")(inputs)
    x = keras.layers.Conv2D(3, 2, padding="same")(shortcut)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Add()([shortcut, x]))
    model = keras.Model(inputs, keras.layers.Dense(10, activation="softmax")(x))
    assert_same(network, model, draw_weights(network), noise)
