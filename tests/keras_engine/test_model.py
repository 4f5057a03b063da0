"""The model is what a Keras user would have written: held against Keras by hand, NumPy and counting."""

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from scipy import ndimage

from tenfold.digits import Digits
from tenfold.errors import ModelError, UsageError
from tenfold.keras_engine import build, save_keras
from tenfold.keras_engine.model import variables
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
from tenfold.network import Network
from tenfold.weights import Member, Weights, initial_weights

SEED = Network(Dense(64), ReLU(), Dense(32), ReLU(), Dense(10))
EVERY_LAYER = Network(
    Conv2D(6, 5, stride=2, padding="valid", bias=False),
    BatchNorm(momentum=0.7, epsilon=0.05),
    ReLU(),
    Conv2D(4),
    MaxPool(3),
    Residual(Conv2D(4, 2), ReLU(), Residual(Conv2D(4, 1))),
    Dropout(0.5),
    Conv2D(8, 1),
    GlobalAveragePool(),
    Dense(10, bias=False),
)


def written_by_hand() -> keras.Model:
    """EVERY_LAYER in Keras's own words, the layers with arrays in the same order."""
    picture = keras.Input((28, 28, 1))
    x = layers.Rescaling(1 / 255)(picture)
    x = layers.Conv2D(6, 5, strides=2, padding="valid", use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.7, epsilon=0.05)(x)
    x = layers.Conv2D(4, 3, padding="same")(layers.Activation("relu")(x))
    outer = layers.MaxPooling2D(3)(x)
    inner = layers.Conv2D(4, 2, padding="same", activation="relu")(outer)
    inner = layers.add([inner, layers.Conv2D(4, 1, padding="same")(inner)])
    x = layers.Dropout(0.5)(layers.add([outer, inner]))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(8, 1, padding="same")(x))
    return keras.Model(picture, layers.Dense(10, use_bias=False)(x))


def some_weights(network: Network) -> Weights:
    """Weights in which no array is 0 or 1 throughout, as a fresh start would have them."""
    rng = np.random.default_rng(3)
    fresh = initial_weights(network, 3)
    return {n: a + rng.uniform(0.1, 0.3, a.shape).astype(np.float32) for n, a in fresh.items()}


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def test_the_seed_network_is_the_sequential_model_of_every_first_lesson(digits: Digits):
    weights = some_weights(SEED)
    written = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(32, activation="relu"),
            layers.Dense(10),
        ]
    )
    written.set_weights(list(weights.values()))
    built = build(SEED, weights)
    assert type(built) is keras.Sequential
    assert built.count_params() == 784 * 64 + 64 + 64 * 32 + 32 + 32 * 10 + 10
    # The same operations in the same order; 1e-6 leaves room for a fused one.
    np.testing.assert_allclose(
        built.predict_on_batch(digits.images), written.predict_on_batch(digits.images), rtol=1e-6
    )


def test_every_layer_computes_what_the_same_layer_written_by_hand_does(digits: Digits):
    images = digits.images[:64]
    weights = some_weights(EVERY_LAYER)
    built, written = build(EVERY_LAYER, weights), written_by_hand()
    written.set_weights(list(weights.values()))
    assert built.count_params() == written.count_params() == EVERY_LAYER.parameter_count
    np.testing.assert_allclose(
        built.predict_on_batch(images), written.predict_on_batch(images), rtol=1e-5
    )
    # In training the momentum of BatchNorm shows in its moving statistics.
    for model in (built, written):
        model(images[..., None], training=True)
    kept = {name: np.array(v) for name, v in variables(built).items()}
    for name, array in zip(kept, written.get_weights(), strict=True):
        np.testing.assert_allclose(kept[name], array, rtol=1e-5, err_msg=name)


def test_layers_bear_the_names_of_the_plan():
    names = [layer.name for layer in build(SEED, some_weights(SEED)).layers]
    assert names == ["rescaling", "flatten_1", "dense_1", "relu_1", "dense_2", "relu_2", "dense_3"]
    names = {layer.name for layer in build(EVERY_LAYER, some_weights(EVERY_LAYER)).layers}
    steps = {step.name for step in EVERY_LAYER.steps()}
    assert steps <= names
    assert {"residual_1", "residual_2", "globalaveragepool_1"} <= steps


def test_a_residual_adds_what_enters_it_to_what_leaves_it(digits: Digits):
    network = Network(Flatten(), Dense(10), Residual(Dense(10)))
    weights = some_weights(network)
    x = (
        digits.images[:5].reshape(5, 784) / 255 @ weights["dense_1/kernel"]
        + weights["dense_1/bias"]
    )
    expected = x + x @ weights["dense_2/kernel"] + weights["dense_2/bias"]
    # NumPy computes in float64 here, Keras in float32 over sums of 784.
    given = build(network, weights).predict_on_batch(digits.images[:5])
    np.testing.assert_allclose(given, expected, rtol=1e-4)


def test_pictures_may_be_bytes_or_floats_with_a_channel_or_without(digits: Digits):
    model, images = build(EVERY_LAYER, some_weights(EVERY_LAYER)), digits.images[:8]
    as_floats = images.astype(np.float32)
    forms = (images, images[..., None], as_floats, as_floats[..., None])
    first, *others = (keras.ops.convert_to_numpy(model(form)) for form in forms)
    for other in others:
        np.testing.assert_array_equal(first, other)


def test_weights_come_out_as_they_went_in():
    weights = some_weights(EVERY_LAYER)
    built = build(EVERY_LAYER, weights)
    returned = {name: np.array(v) for name, v in variables(built).items()}
    assert returned.keys() == weights.keys()
    for name, array in weights.items():
        np.testing.assert_array_equal(returned[name], array)


def test_a_copy_of_the_architecture_starts_as_keras_starts_it():
    fresh = keras.models.clone_model(build(SEED, some_weights(SEED))).get_layer("dense_1").kernel
    # Glorot: uniform within sqrt(6 / (784 + 64)), whose standard deviation is sqrt(2 / (784 + 64)).
    # 50,176 draws leave it within 1 %, three times their standard error.
    assert np.std(fresh) == pytest.approx(np.sqrt(2 / (784 + 64)), rel=0.01)


def test_weights_of_another_network_are_refused():
    with pytest.raises(ModelError, match="dense_3/bias"):
        build(SEED, some_weights(Network(Dense(64), ReLU(), Dense(10))))


@pytest.mark.slow
@pytest.mark.parametrize("network", [SEED, EVERY_LAYER])
def test_a_keras_file_gives_plain_keras_the_probabilities(
    network: Network, tmp_path: Path, digits: Digits
):
    weights = some_weights(network)
    images = digits.images[:50]
    path = tmp_path / "new" / "model.keras"
    sealed = save_keras(path, [Member(network, weights)])
    assert path.stat().st_size == sealed["bytes"]
    assert [file.name for file in path.parent.iterdir()] == ["model.keras"]
    model = keras.models.load_model(path)
    expected = softmax(build(network, weights).predict_on_batch(images))
    for form in (images, images[..., None].astype(np.float32)):
        given = model.predict(form, verbose=0)
        # Probabilities are at most 1, so a few units in the last place of float32 are 1e-6.
        np.testing.assert_allclose(given, expected, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("count", "shifts"), [(2, 0), (1, 1), (2, 3)])
def test_a_keras_file_of_several_networks_at_several_places_gives_their_mean(
    count: int, shifts: int, tmp_path: Path, digits: Digits
):
    images = digits.images[:20]
    members = [Member(network, some_weights(network)) for network in (SEED, EVERY_LAYER)[:count]]
    places = [(0, 0)] + [(0, shifts), (0, -shifts), (shifts, 0), (-shifts, 0)] * (shifts > 0)
    answers = [
        softmax(build(*member).predict_on_batch(ndimage.shift(images, (0, *place), order=0)))
        for member in members
        for place in places
    ]
    save_keras(tmp_path / "model.keras", members, shifts=shifts)
    given = keras.models.load_model(tmp_path / "model.keras").predict(images, verbose=0)
    # Probabilities are at most 1, so a few units in the last place of float32 are 1e-6.
    np.testing.assert_allclose(given, np.mean(answers, axis=0), atol=1e-6)


def test_a_keras_file_must_be_called_one(tmp_path: Path):
    with pytest.raises(UsageError, match=r"\.keras"):
        save_keras(tmp_path / "model.h5", [Member(SEED, initial_weights(SEED, 0))])
    assert list(tmp_path.iterdir()) == []
