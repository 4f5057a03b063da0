"""The same numbers as Keras: layers as in use, a training step from pixels to gradients, optimizers."""

import numpy as np
import pytest

from tenfold import recipe
from tenfold.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    GlobalAveragePool,
    MaxPool,
    ReLU,
    Residual,
)
from tenfold.network import Network
from tenfold.randomness import stream
from tenfold.scratch.losses import cross_entropy, cross_entropy_gradient
from tenfold.scratch.network import ScratchNetwork
from tenfold.scratch.optimizers import optimizer_for
from tenfold.weights import initial_weights

LAYERS = [
    (Dense(4), (5,)),
    (Conv2D(3), (5, 6, 2)),
    (Conv2D(3, kernel=2), (5, 6, 2)),
    (Conv2D(3, kernel=4, stride=2), (7, 6, 2)),
    (Conv2D(3, kernel=2, stride=3), (7, 6, 2)),
    (Conv2D(3, stride=2, padding="valid"), (7, 6, 2)),
    (MaxPool(2), (5, 6, 2)),
    (MaxPool(3), (7, 6, 2)),
    (GlobalAveragePool(), (5, 6, 2)),
    (BatchNorm(momentum=0.7, epsilon=1e-2), (5, 6, 2)),
    (ReLU(), (5,)),
]

NETWORK = Network(
    Conv2D(4, kernel=5, stride=2, bias=False),
    BatchNorm(),
    ReLU(),
    MaxPool(2),
    Residual(Conv2D(4), BatchNorm(), ReLU()),
    MaxPool(2),
    Conv2D(6, kernel=2, padding="valid"),
    GlobalAveragePool(),
    Dense(10),
)

OPTIMIZERS = [
    recipe.SGD(0.1),
    recipe.SGD(0.1, momentum=0.9),
    recipe.SGD(0.1, momentum=0.9, nesterov=True),
    recipe.Adam(0.1),
    recipe.Adam(0.1, beta_1=0.8, beta_2=0.95, epsilon=1e-2),
    recipe.AdamW(0.1, weight_decay=0.05),
]


def keras_layer(keras, layer):
    match layer:
        case Dense():
            return keras.layers.Dense(layer.units, use_bias=layer.bias)
        case Conv2D():
            return keras.layers.Conv2D(
                layer.filters,
                layer.kernel,
                strides=layer.stride,
                padding=layer.padding,
                use_bias=layer.bias,
            )
        case MaxPool():
            return keras.layers.MaxPooling2D(layer.size)
        case GlobalAveragePool():
            return keras.layers.GlobalAveragePooling2D()
        case BatchNorm():
            return keras.layers.BatchNormalization(momentum=layer.momentum, epsilon=layer.epsilon)
        case ReLU():
            return keras.layers.ReLU()
    raise TypeError(layer)


@pytest.fixture(scope="module")
def keras():
    import keras

    return keras


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=[str(layer) for layer, _ in LAYERS])
def test_a_layer_gives_what_keras_gives(keras, alone, layer, shape):
    ours, weights, _ = alone(layer, shape)
    theirs = keras_layer(keras, layer)
    theirs.build((None, *shape))
    theirs.set_weights(list(weights.values()))
    x = stream(0, "x").standard_normal((4, *shape))
    # Keras computes in float32: up to 32 products of numbers near 1.
    assert np.allclose(ours.use(x), np.asarray(theirs(x, training=False)), rtol=0, atol=2e-5)


def in_keras(keras, x, layers):
    """The layers of a network applied to a symbolic picture, and each of them in the order of the plan."""
    made = []
    for layer in layers:
        if isinstance(layer, Residual):
            inside, more = in_keras(keras, x, layer.layers)
            x = keras.layers.Add()([x, inside])
            made += more
        else:
            made.append(keras_layer(keras, layer))
            x = made[-1](x)
    return x, made


def test_a_training_step_finds_the_loss_gradients_and_statistics_that_keras_finds(
    keras, small_digits
):
    import tensorflow as tf

    weights = initial_weights(NETWORK, 0)
    ours = ScratchNetwork(NETWORK, weights)
    picture = keras.Input((28, 28, 1))
    logits, made = in_keras(keras, keras.layers.Rescaling(1 / 255)(picture), NETWORK.layers)
    theirs = keras.Model(picture, logits)
    arrays = iter(weights.values())
    for layer in made:
        layer.set_weights([next(arrays) for _ in layer.weights])

    images, labels = small_digits.images[:16], small_digits.labels[:16]
    with tf.GradientTape() as tape:
        theirs_logits = theirs(images[..., None], training=True)
        theirs_loss = tf.reduce_mean(
            keras.losses.sparse_categorical_crossentropy(labels, theirs_logits, from_logits=True)
        )
    trained = [v for layer in made for v in layer.trainable_variables]
    theirs_gradient = [np.ravel(g) for g in tape.gradient(theirs_loss, trained)]

    ours_logits = ours.forward(images)
    ours.backward(cross_entropy_gradient(ours_logits, np.eye(10, dtype=np.float32)[labels]))

    # Both in float32. Held against float64, Keras's logits, through its sums for the batch variance,
    # are 3e-5 off and its gradient 2e-5 of the largest number; ours are 1e-6 off.
    assert np.allclose(ours_logits, theirs_logits, rtol=0, atol=1e-4)
    assert np.isclose(
        cross_entropy(ours_logits, np.eye(10, dtype=np.float32)[labels]).mean(),
        float(theirs_loss),
        rtol=3e-5,
    )
    largest = max(np.abs(g).max() for g in theirs_gradient)
    assert np.allclose(ours.gradient, np.concatenate(theirs_gradient), rtol=0, atol=1e-4 * largest)
    kept = {"moving_mean", "moving_variance"}
    moving = [w for name, w in ours.weights.items() if name.split("/")[1] in kept]
    theirs_moving = [v for layer in made for v in layer.non_trainable_variables]
    for one, other in zip(moving, theirs_moving, strict=True):
        assert np.allclose(one, np.asarray(other), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("settings", OPTIMIZERS, ids=str)
def test_an_optimizer_walks_where_keras_walks(keras, settings):
    start, middle = (stream(0, n).uniform(-1, 1, 30).astype(np.float32) for n in ("start", "end"))
    w, theirs_w = start.copy(), keras.Variable(start)
    ours = optimizer_for(settings, w)
    options = {k: getattr(settings, k) for k in settings.__dataclass_fields__}
    theirs = getattr(keras.optimizers, type(settings).__name__)(**options)
    for _ in range(12):
        ours.update(w, w - middle, rate=settings.learning_rate)
        theirs.apply([theirs_w.value - middle], [theirs_w])
    # Twelve steps of up to 0.1. Keras forms 1 - 0.999^t in float32, which at first is off by 1e-5 of
    # itself; a wrong sign or factor is off by 1e-2.
    assert np.allclose(w, np.asarray(theirs_w), rtol=0, atol=3e-5)
    assert np.abs(w - start).max() > 0.3
