"""A finished network against the engine's own use of it, central differences and TensorFlow's gradients."""

import numpy as np
import pytest

from tenfold.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    GlobalAveragePool,
    MaxPool,
    ReLU,
    Residual,
    Whitening,
)
from tenfold.network import Network
from tenfold.randomness import stream
from tenfold.scratch.fixed import FixedNetwork
from tenfold.scratch.gradcheck import central_differences
from tenfold.scratch.network import ScratchNetwork
from tenfold.weights import initial_weights

NETWORKS = {
    "dense": Network(Dense(12), ReLU(), Dropout(0.5), Dense(10)),
    "whitening, residual": Network(
        Whitening(6, kernel=5, stride=3),
        ReLU(),
        Residual(Conv2D(6), BatchNorm(), Dropout(0.4), ReLU()),
        MaxPool(2),
        Dense(10),
    ),
    "global average": Network(
        Conv2D(4, stride=4), BatchNorm(), ReLU(), GlobalAveragePool(), Dense(10)
    ),
}


@pytest.fixture(params=NETWORKS)
def member(request, small_digits):
    """A network and float64 weights none of which is at a special value."""
    network = NETWORKS[request.param]
    weights = initial_weights(network, 0, small_digits.images)
    for name, array in weights.items():
        array += stream(0, name).uniform(0.05, 0.3, array.shape).astype(np.float32)
    return network, {name: array.astype(np.float64) for name, array in weights.items()}


def test_it_gives_the_logits_that_the_engine_gives_in_use(member, small_digits):
    images = small_digits.images[:20]
    # The same operations in the same order.
    assert np.array_equal(FixedNetwork(*member).logits(images), ScratchNetwork(*member).use(images))


def test_the_gradient_of_pixels_is_that_of_central_differences(member, small_digits):
    network = FixedNetwork(*member)
    weighting = stream(1, "weighting").standard_normal(10)
    # Noise, so that no two pixels of a window of MaxPool are equal and no ReLU stands at its kink.
    noise = stream(1, "noise").uniform(0, 60, (28, 28))
    picture = small_digits.images[7] * 0.7 + noise

    def loss(pixels):
        return float(network.logits(pixels.reshape(1, 28, 28))[0] @ weighting)

    expected = central_differences(loss, picture.ravel())
    network.logits(picture[None])
    found = network.pixel_gradient(weighting[None]).ravel()
    # `central_differences` is right to 1e-9 of the loss, which is below 100.
    assert np.abs(found - expected).max() < 1e-7
    assert np.abs(found).max() > 1e-4


def test_a_picture_s_gradient_does_not_depend_on_its_neighbours_in_the_batch(member, small_digits):
    images = small_digits.images[:6]
    network = FixedNetwork(*member)
    d_logits = stream(2, "d").standard_normal((6, 10))
    network.logits(images)
    together = network.pixel_gradient(d_logits)
    network.logits(images[4:5])
    assert np.allclose(together[4:5], network.pixel_gradient(d_logits[4:5]), rtol=0, atol=1e-12)


def test_the_last_layer_makes_the_logits_of_what_is_hidden(member, small_digits):
    network, weights = member
    fixed = FixedNetwork(network, weights)
    last = network.plan[-1].name
    images = small_digits.images[:5]
    by_hand = fixed.hidden(images) @ weights[f"{last}/kernel"] + weights[f"{last}/bias"]
    assert np.allclose(by_hand, fixed.logits(images), rtol=1e-12)


def test_tensorflow_finds_the_same_gradient(small_digits):
    """A network by Keras's own layers, differentiated by a tape, with all statistics as in use."""
    import keras
    import tensorflow as tf

    network = Network(
        Conv2D(5, stride=2), BatchNorm(), ReLU(), Dropout(0.3), MaxPool(2), Dense(7), ReLU(), Dense(10)
    )  # fmt: skip
    weights = initial_weights(network, 3)
    weights["batchnorm_1/moving_mean"][...] = 0.1
    weights["batchnorm_1/moving_variance"][...] = 0.4
    model = keras.Sequential(
        [
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(5, 3, strides=2, padding="same"),
            keras.layers.BatchNormalization(epsilon=1e-3),
            keras.layers.ReLU(),
            keras.layers.Dropout(0.3),
            keras.layers.MaxPool2D(2),
            keras.layers.Flatten(),
            keras.layers.Dense(7, activation="relu"),
            keras.layers.Dense(10),
        ]
    )
    images = small_digits.images[:8]
    pixels = tf.constant(images[..., None].astype(np.float32))
    model(pixels)
    for variable, array in zip(model.weights, _in_order_of_keras(weights), strict=True):
        variable.assign(array)
    labels = small_digits.labels[:8]
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        logits = model(pixels, training=False)
        loss = tf.reduce_sum(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels.astype(np.int32), logits)
        )
    expected = tape.gradient(loss, pixels).numpy()[..., 0]
    fixed = FixedNetwork(network, weights)
    ours = fixed.logits(images)
    probabilities = np.exp(ours) / np.exp(ours).sum(axis=1, keepdims=True)
    found = fixed.pixel_gradient(probabilities - np.eye(10)[labels])
    # float32 keeps seven digits, and some hundred terms are added up.
    assert np.allclose(found, expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max())


def _in_order_of_keras(weights):
    """Our arrays in the order of Keras's variables of a convolution, a BatchNorm and two dense layers."""
    names = [f"conv2d_1/{n}" for n in ("kernel", "bias")]
    names += [f"batchnorm_1/{n}" for n in ("gamma", "beta", "moving_mean", "moving_variance")]
    names += [f"dense_{i}/{n}" for i in (1, 2) for n in ("kernel", "bias")]
    return [weights[name] for name in names]
