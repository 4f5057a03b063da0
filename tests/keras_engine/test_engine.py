"""The engine trains as Keras's own `fit` trains; its numbers are those computed by hand from its weights."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from tenfold.digits import Digits
from tenfold.engine import weights_of
from tenfold.errors import DataError, ModelError
from tenfold.keras_engine import KerasEngine, build
from tenfold.layers import BatchNorm, Conv2D, Dense, Dropout, MaxPool, ReLU
from tenfold.network import Network
from tenfold.randomness import batches
from tenfold.recipe import SGD, Adam, AdamW, Optimizer, Recipe
from tenfold.weights import initial_weights

SEED = Network(Dense(64), ReLU(), Dense(32), ReLU(), Dense(10))
CNN = Network(Conv2D(4, bias=False), BatchNorm(), ReLU(), MaxPool(4), Dense(10))


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(n, 10), (n,) -> (n,): log of the sum of e^z, minus the label's z; in float64."""
    logits = logits.astype(np.float64)
    return np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(labels)), labels]


@pytest.mark.parametrize(
    ("network", "ours", "keras_optimizer"),
    [
        (SEED, Adam(), keras.optimizers.Adam()),
        (
            SEED,
            AdamW(0.01, 0.8, 0.99, 1e-5, weight_decay=0.1),
            keras.optimizers.AdamW(0.01, beta_1=0.8, beta_2=0.99, epsilon=1e-5, weight_decay=0.1),
        ),
        (
            SEED,
            SGD(0.05, momentum=0.9, nesterov=True),
            keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        ),
        (CNN, SGD(0.01), keras.optimizers.SGD(0.01)),
    ],
    ids=["Adam", "AdamW", "nesterov", "SGD on a CNN"],
)
@pytest.mark.slow
def test_an_epoch_is_what_fit_makes_of_the_same_batches(
    network: Network,
    ours: Optimizer,
    keras_optimizer: keras.optimizers.Optimizer,
    digits: Digits,
):
    recipe = Recipe(network, optimizer=ours, batch_size=32)
    engine = KerasEngine(recipe, digits, seed=5)
    epoch = engine.train_epoch(0)

    model = build(network, initial_weights(network, 5))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras_optimizer, loss, metrics=["accuracy"])
    order = batches(5, 0, images=len(digits), batch_size=32).ravel()
    images, labels = digits.images[order], digits.known_labels[order]
    history = model.fit(images, labels, batch_size=32, shuffle=False, verbose=0).history

    assert len(epoch.losses) == 25
    assert epoch.images == 800
    assert epoch.losses.mean() == pytest.approx(history["loss"][0], rel=1e-5)
    assert epoch.correct / epoch.images == pytest.approx(history["accuracy"][0], abs=1e-7)
    # The same operations, fused by another compiler: 25 steps of float32 rounding, measured 1e-7
    # to 3e-6 of each array.
    for name, array in weights_of(engine.state()).items():
        layer, variable = name.split("/")
        theirs = keras.ops.convert_to_numpy(getattr(model.get_layer(layer), variable))
        assert np.linalg.norm(array - theirs) < 1e-4 * np.linalg.norm(theirs), name


def test_losses_and_right_answers_are_those_of_the_weights_before_each_step(digits: Digits):
    recipe = Recipe(Network(Dense(10)), optimizer=SGD(0.0), batch_size=100)
    engine = KerasEngine(recipe, digits, seed=2)
    epoch = engine.train_epoch(3)
    logits = engine.logits(digits.images)
    each = cross_entropy(logits, digits.known_labels)
    rows = batches(2, 3, images=800, batch_size=100)
    np.testing.assert_allclose(epoch.losses, each[rows].mean(axis=1), rtol=1e-5)
    assert epoch.losses.dtype == np.float32
    assert epoch.correct == np.sum(logits.argmax(axis=1) == digits.known_labels)


def test_learning_rates_are_taken_step_by_step(digits: Digits):
    class Alternating(Recipe):
        def learning_rates(self, epoch: int, *, steps: int) -> np.ndarray:
            return np.where(np.arange(steps) % 2, 0.1, 0.0).astype(np.float32)

    # One batch of all images, again and again, so that a loss changes only if the step before it moved.
    twins = digits.take(np.zeros(40, np.int64))
    engine = KerasEngine(Alternating(SEED, optimizer=SGD(1.0), batch_size=8), twins, seed=0)
    first, second, third, fourth, fifth = engine.train_epoch(0).losses
    assert first == second > third == fourth > fifth


def test_dropout_is_a_function_of_seed_and_epoch_and_off_in_use(digits: Digits):
    # Equal images and a rate of 0 leave dropout as the only difference between epochs.
    twins = digits.take(np.zeros(40, np.int64))
    recipe = Recipe(Network(Dropout(0.4), Dense(10)), optimizer=SGD(0.0), batch_size=8)
    engine, other = (KerasEngine(recipe, twins, seed=seed) for seed in (1, 2))
    other.restore(engine.state())
    losses = [engine.train_epoch(epoch).losses for epoch in (0, 1, 0)]
    assert len(set(losses[0])) == 5
    assert not np.isin(losses[0], losses[1]).any()
    assert not np.isin(losses[0], other.train_epoch(0).losses).any()
    np.testing.assert_array_equal(losses[0], losses[2])
    logits = engine.logits(twins.images)
    # The rows of a matrix product are not always added up in the same order.
    np.testing.assert_allclose(logits, np.broadcast_to(logits[0], logits.shape), rtol=1e-5)


def test_logits_of_an_image_do_not_depend_on_its_neighbours(digits: Digits):
    engine = KerasEngine(Recipe(CNN), digits, seed=0)
    whole = engine.logits(digits.images)
    assert whole.shape == (800, 10)
    assert whole.dtype == np.float32
    # 501 is one more than is computed at once.
    for part in (slice(0, 1), slice(0, 500), slice(0, 501), slice(500, 800)):
        np.testing.assert_array_equal(engine.logits(digits.images[part]), whole[part])


def test_a_state_holds_what_every_engine_names_so(digits: Digits):
    network = Network(Dense(10), BatchNorm())
    trained = ["dense_1/kernel", "dense_1/bias", "batchnorm_1/gamma", "batchnorm_1/beta"]
    kept = ["batchnorm_1/moving_mean", "batchnorm_1/moving_variance"]
    weights = {f"weights/{name}" for name in trained + kept}
    slots = {
        SGD(): (),
        SGD(momentum=0.9): ("momentum",),
        Adam(): ("first_moment", "second_moment"),
        AdamW(): ("first_moment", "second_moment"),
    }
    for optimizer, names in slots.items():
        engine = KerasEngine(Recipe(network, optimizer=optimizer), digits, seed=0)
        state = engine.state()
        assert state.keys() == weights | {"step"} | {f"{s}/{n}" for s in names for n in trained}
        assert (state["step"].dtype, state["step"].shape, int(state["step"])) == (np.int64, (), 0)


def test_moments_stand_under_their_own_names(digits: Digits):
    # After one step from 0: m = (1 - beta_1) g and v = (1 - beta_2) g^2, so v = m^2 here.
    network = Network(Dense(10))
    recipe = Recipe(network, optimizer=Adam(beta_1=0.9, beta_2=0.99), batch_size=800)
    engine = KerasEngine(recipe, digits, seed=0)
    engine.train_epoch(0)
    state = engine.state()
    assert int(state["step"]) == 1
    for name in ("dense_1/kernel", "dense_1/bias"):
        first, second = state[f"first_moment/{name}"], state[f"second_moment/{name}"]
        assert np.abs(first).max() > 0
        # 1 - beta is rounded to float32 in each.
        np.testing.assert_allclose(second, first**2, rtol=1e-4, atol=1e-12)


def test_a_state_is_a_copy_and_restoring_it_undoes_the_epochs_since(digits: Digits):
    recipe = Recipe(CNN, optimizer=Adam())
    engine = KerasEngine(recipe, digits, seed=0)
    before = engine.state()
    first = engine.train_epoch(0)
    engine.restore(before)
    again = engine.train_epoch(0)
    np.testing.assert_array_equal(first.losses, again.losses)
    assert engine.state()["step"] == 25
    assert before["step"] == 0


def test_states_of_other_recipes_are_refused_by_name(digits: Digits):
    recipe = Recipe(SEED, optimizer=Adam())
    engine = KerasEngine(recipe, digits, seed=0)
    state = engine.state()
    other = KerasEngine(replace(recipe, optimizer=SGD()), digits, seed=0)
    with pytest.raises(ModelError, match="first_moment/dense_1/bias"):
        other.restore(state)
    wide = state | {"weights/dense_3/bias": np.zeros(11, np.float32)}
    with pytest.raises(ModelError, match="weights/dense_3/bias"):
        engine.restore(wide)
    double = state | {"weights/dense_2/bias": np.zeros(32)}
    with pytest.raises(ModelError, match="weights/dense_2/bias"):
        engine.restore(double)
    for name, array in engine.state().items():
        np.testing.assert_array_equal(array, state[name])


def test_images_without_labels_cannot_be_trained_on(digits: Digits):
    with pytest.raises(DataError, match="labels are needed"):
        KerasEngine(Recipe(SEED), Digits(digits.images, None, "unlabelled"), seed=0)
