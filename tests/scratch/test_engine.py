"""The engine keeps what `tenfold.engine` promises: exact numbers, exact repetition, exact continuation."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss
from threadpoolctl import threadpool_info, threadpool_limits

from tenfold.digits import Digits
from tenfold.engine import weights_of
from tenfold.errors import DataError, ModelError
from tenfold.layers import BatchNorm, Conv2D, Dense, Dropout, MaxPool, ReLU, Residual
from tenfold.network import Network
from tenfold.randomness import batches
from tenfold.recipe import SGD, Adam, AdamW, OneCycle, Recipe
from tenfold.scratch import ScratchEngine
from tenfold.scratch.network import ScratchNetwork
from tenfold.weights import check_weights, initial_weights

DENSE = Network(Dense(32), ReLU(), Dense(10))
EVERYTHING = Network(
    Conv2D(2, stride=2), BatchNorm(), ReLU(), MaxPool(2), Dropout(0.2),
    Residual(Conv2D(2), BatchNorm(), Dropout(0.3)), Dense(10),
)  # fmt: skip
OPTIMIZERS = {
    "sgd": SGD(),
    "momentum": SGD(momentum=0.9),
    "nesterov": SGD(momentum=0.9, nesterov=True),
    "adam": Adam(),
    "adamw": AdamW(),
}
RECIPE = Recipe(DENSE, engine="numpy", epochs=3)


def equal(one, other):
    return one.keys() == other.keys() and all(
        np.array_equal(one[name], other[name]) for name in one
    )


def test_it_starts_from_the_initial_weights(small_digits):
    engine = ScratchEngine(RECIPE, small_digits, seed=5)
    assert equal(weights_of(engine.state()), initial_weights(DENSE, 5))
    assert engine.state()["step"] == 0
    assert engine.backend == "numpy"


def test_an_epoch_of_softmax_regression_by_its_closed_form(small_digits):
    network, some = Network(Dense(10)), small_digits.take(np.arange(200))
    recipe = Recipe(network, optimizer=SGD(0.5), schedule=OneCycle(), batch_size=50, epochs=1)
    engine = ScratchEngine(recipe, some, seed=0)
    engine.train_epoch(0)

    start = initial_weights(network, 0)
    kernel, bias = start["dense_1/kernel"].astype(float), start["dense_1/bias"].astype(float)
    rows, rates = batches(0, 0, images=200, batch_size=50), recipe.learning_rates(0, steps=4)
    for batch, rate in zip(rows, rates.astype(float), strict=True):
        x = some.images[batch].reshape(50, 784) / 255
        error = softmax(x @ kernel + bias, axis=1) - np.eye(10)[some.labels[batch]]
        kernel -= rate * x.T @ error / 50
        bias -= rate * error.mean(axis=0)

    weights = weights_of(engine.state())
    # Four steps of up to 0.05 for each weight, in float32; a rate in the wrong place is off by 1e-2.
    assert np.allclose(weights["dense_1/kernel"], kernel, rtol=0, atol=1e-6)
    assert np.allclose(weights["dense_1/bias"], bias, rtol=0, atol=1e-6)


def test_losses_and_counts_are_those_of_each_batch_before_its_step(small_digits):
    # At a learning rate of 0 the network stays as it is, so its logits say what they must be.
    recipe = replace(RECIPE, optimizer=SGD(0.0), batch_size=300)
    engine = ScratchEngine(recipe, small_digits, seed=3)
    epoch = engine.train_epoch(1)
    rows = batches(3, 1, images=1000, batch_size=300)
    logits = engine.logits(small_digits.images)
    expected = [
        log_loss(small_digits.labels[batch], softmax(logits[batch].astype(float), axis=1))
        for batch in rows
    ]
    assert epoch.losses.dtype == np.float32
    assert np.allclose(epoch.losses, expected, rtol=1e-5)
    right = logits.argmax(axis=1) == small_digits.labels
    assert (epoch.correct, epoch.images) == (right[rows].sum(), 900)


def test_dropout_differs_from_epoch_to_epoch_and_from_seed_to_seed(small_digits):
    # One image at a learning rate of 0: nothing but dropout can change its loss.
    recipe = replace(RECIPE, network=Network(Dropout(0.5), Dense(10)), optimizer=SGD(0.0))
    one = small_digits.take(np.arange(1))
    engine, other = (ScratchEngine(recipe, one, seed=seed) for seed in (0, 1))
    other.restore(engine.state())
    losses = [engine.train_epoch(0), engine.train_epoch(1), other.train_epoch(0)]
    assert len({epoch.losses.item() for epoch in losses}) == 3
    assert np.array_equal(engine.train_epoch(0).losses, losses[0].losses)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_restored_engine_goes_on_as_if_it_had_never_stopped(small_digits, optimizer):
    recipe = replace(
        RECIPE, network=EVERYTHING, optimizer=OPTIMIZERS[optimizer], schedule=OneCycle()
    )
    whole = ScratchEngine(recipe, small_digits, seed=1)
    whole.train_epoch(0)
    saved = whole.state()
    epochs = [whole.train_epoch(epoch) for epoch in (1, 2)]

    resumed = ScratchEngine(recipe, small_digits, seed=1)
    resumed.train_epoch(0)
    resumed.train_epoch(1)
    resumed.restore(saved)
    again = [resumed.train_epoch(epoch) for epoch in (1, 2)]

    assert equal(resumed.state(), whole.state())
    for one, other in zip(epochs, again, strict=True):
        assert np.array_equal(one.losses, other.losses)
        assert one.correct == other.correct
    assert np.array_equal(whole.logits(small_digits.images), resumed.logits(small_digits.images))


@pytest.mark.parametrize("network", [DENSE, EVERYTHING])
def test_the_seed_decides_every_bit(small_digits, network):
    def trained(seed):
        engine = ScratchEngine(replace(RECIPE, network=network), small_digits, seed=seed)
        engine.train_epoch(0)
        return engine.state()

    assert equal(trained(1), trained(1))
    assert not equal(trained(1), trained(2))


def test_matrix_products_get_one_thread_so_that_bits_do_not_depend_on_cores(
    small_digits, monkeypatch
):
    seen = []

    def spy(method):
        def spied(network, images):
            seen.append(
                [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
            )
            return method(network, images)

        return spied

    monkeypatch.setattr(ScratchNetwork, "forward", spy(ScratchNetwork.forward))
    monkeypatch.setattr(ScratchNetwork, "use", spy(ScratchNetwork.use))
    engine = ScratchEngine(replace(RECIPE, batch_size=1000), small_digits, seed=1)
    with threadpool_limits(2):
        engine.train_epoch(0)
        engine.logits(small_digits.images[:5])
    assert len(seen) == 2
    assert {count for counts in seen for count in counts} == {1}


@pytest.mark.parametrize(
    ("optimizer", "slots"),
    [
        ("sgd", set()),
        ("momentum", {"momentum"}),
        ("nesterov", {"momentum"}),
        ("adam", {"first_moment", "second_moment"}),
        ("adamw", {"first_moment", "second_moment"}),
    ],
)
def test_a_state_has_the_names_and_shapes_that_both_engines_share(small_digits, optimizer, slots):
    recipe = replace(RECIPE, network=EVERYTHING, optimizer=OPTIMIZERS[optimizer])
    engine = ScratchEngine(recipe, small_digits, seed=1)
    engine.train_epoch(0)
    state = engine.state()
    parameters = {p.name: p for p in EVERYTHING.parameters}
    trained = {name for name, p in parameters.items() if p.trainable}
    assert state.keys() == (
        {f"weights/{name}" for name in parameters}
        | {f"{slot}/{name}" for slot in slots for name in trained}
        | {"step"}
    )
    assert list(check_weights(EVERYTHING, weights_of(state))) == list(parameters)
    for slot in slots:
        assert all(state[f"{slot}/{name}"].shape == parameters[name].shape for name in trained)
    assert (state["step"].dtype, state["step"].shape, int(state["step"])) == (np.int64, (), 31)


def test_a_state_is_a_copy(small_digits):
    engine = ScratchEngine(replace(RECIPE, network=EVERYTHING), small_digits, seed=1)
    before, again = engine.state(), engine.state()
    engine.train_epoch(0)
    assert equal(before, again)
    moved = [name for name in before if not np.array_equal(before[name], engine.state()[name])]
    assert moved == list(before)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda state: state.pop("step"),
        lambda state: state.pop("first_moment/dense_1/bias"),
        lambda state: state.update(momentum=np.zeros(3, np.float32)),
        lambda state: state.update({"weights/dense_1/bias": np.zeros(31, np.float32)}),
        lambda state: state.update({"weights/dense_1/bias": np.zeros(32)}),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(small_digits, spoil):
    engine = ScratchEngine(RECIPE, small_digits, seed=1)
    state = ScratchEngine(RECIPE, small_digits, seed=2).state()
    before = engine.state()
    spoil(state)
    with pytest.raises(ModelError, match="expected the 13 arrays of this recipe"):
        engine.restore(state)
    assert equal(engine.state(), before)


def test_logits_are_those_of_use_and_leave_no_trace(small_digits):
    engine = ScratchEngine(replace(RECIPE, network=EVERYTHING), small_digits, seed=1)
    engine.train_epoch(0)
    before = engine.state()
    images = small_digits.images[:300]
    logits = engine.logits(images)
    assert (logits.dtype, logits.shape) == (np.float32, (300, 10))
    # Alone or among others an image gives the same logits, but for the order of float32 sums.
    assert np.allclose(
        logits[::50], [engine.logits(one[None])[0] for one in images[::50]], atol=1e-4
    )
    assert np.array_equal(logits, engine.logits(images))
    assert equal(engine.state(), before)


@pytest.mark.parametrize(
    "network",
    [DENSE, Network(Conv2D(8), ReLU(), MaxPool(4), Conv2D(8), BatchNorm(), ReLU(), Dense(10))],
)
def test_64_digits_are_learnt_by_heart(small_digits, network):
    few = small_digits.take(np.arange(64))
    recipe = Recipe(network, optimizer=Adam(0.01), batch_size=16, epochs=20)
    engine = ScratchEngine(recipe, few, seed=0)
    for epoch in range(recipe.epochs):
        engine.train_epoch(epoch)
    assert np.array_equal(engine.logits(few.images).argmax(axis=1), few.labels)


def test_digits_without_labels_are_refused(small_digits):
    unlabelled = Digits(small_digits.images, None, "a stranger's pictures")
    with pytest.raises(DataError, match="labels are needed"):
        ScratchEngine(RECIPE, unlabelled, seed=0)
