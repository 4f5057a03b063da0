"""Averages, targets and warps in the NumPy engine: loops written out by hand, and exact continuation."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from threadpoolctl import threadpool_info, threadpool_limits

from tenfold.augmentation import Cutout, Elastic, Rotate, Scale, Shear, Shift
from tenfold.engine import Courses, weights_of
from tenfold.layers import BatchNorm, Conv2D, Dense, Dropout, MaxPool, ReLU, Residual
from tenfold.network import Network
from tenfold.randomness import batches, stream
from tenfold.recipe import SGD, AdamW, Averaging, Recipe
from tenfold.scratch import ScratchEngine
from tenfold.scratch.augment import taken, warp
from tenfold.scratch.network import ScratchNetwork
from tenfold.weights import initial_weights

EVERY_KIND = (Shift(), Rotate(), Scale(), Shear(), Elastic(), Cutout())
LINEAR = Recipe(
    Network(Dense(10)),
    engine="numpy",
    optimizer=SGD(0.5),
    batch_size=50,
    epochs=2,
    label_smoothing=0.2,
    averaging=Averaging(0.3),  # which t / (t + 9) reaches in the fifth of eight steps
)
NORMED = Recipe(
    Network(Conv2D(3, stride=3), BatchNorm(), ReLU(), MaxPool(3),
            Residual(Dropout(0.4), Conv2D(3), BatchNorm()), Dropout(0.5), Dense(10), BatchNorm()),
    engine="numpy",
    optimizer=AdamW(),
    batch_size=100,
    epochs=3,
    augmentation=EVERY_KIND,
    label_smoothing=0.1,
    averaging=Averaging(0.9),
)  # fmt: skip


def trained(engine, epochs):
    return [engine.train_epoch(epoch) for epoch in epochs]


def by_hand(recipe, digits, pictures_of, *, seed):
    """Softmax regression in float64: its losses, its weights and their average, step by step."""
    start = initial_weights(recipe.network, seed)
    w, b = start["dense_1/kernel"].astype(float), start["dense_1/bias"].astype(float)
    average_w, average_b, t, losses = w, b, 0, []
    for epoch in range(recipe.epochs):
        rows = batches(seed, epoch, images=len(digits), batch_size=recipe.batch_size)
        rates = recipe.learning_rates(epoch, steps=len(rows)).astype(float)
        for batch, rate in zip(rows, rates, strict=True):
            x = pictures_of(epoch, batch).reshape(len(batch), 784) / 255
            targets = np.full((len(batch), 10), recipe.label_smoothing / 10)
            targets[np.arange(len(batch)), digits.labels[batch]] += 1 - recipe.label_smoothing
            z = x @ w + b
            losses.append(-(targets * log_softmax(z, axis=1)).sum(axis=1).mean())
            error = (softmax(z, axis=1) - targets) / len(batch)
            w, b = w - rate * x.T @ error, b - rate * error.sum(axis=0)
            d = min(recipe.averaging.decay, t / (t + 9))
            average_w, average_b = d * average_w + (1 - d) * w, d * average_b + (1 - d) * b
            t += 1
    return losses, (w, b), (average_w, average_b)


@pytest.mark.parametrize("augmentation", [(), EVERY_KIND], ids=["plain", "augmented"])
def test_two_epochs_of_softmax_regression_by_hand(small_digits, augmentation):
    some, recipe = small_digits.take(np.arange(200)), replace(LINEAR, augmentation=augmentation)
    courses = Courses(recipe, some.images, seed=4)

    def pictures_of(epoch, batch):
        images, warps = some.images[batch], courses(epoch).warps
        return images if warps is None else warp(images, taken(warps, batch)).astype(float)

    losses, weights, averages = by_hand(recipe, some, pictures_of, seed=4)
    engine = ScratchEngine(recipe, some, seed=4)
    epochs = trained(engine, range(2))
    state = engine.state()
    # Eight steps in float32; a decay or a target in the wrong place is off by 1e-3 and more.
    assert np.concatenate([epoch.losses for epoch in epochs]) == pytest.approx(losses, rel=1e-5)
    for kind, (kernel, bias) in (("weights", weights), ("average", averages)):
        assert state[f"{kind}/dense_1/kernel"] == pytest.approx(kernel, abs=1e-6)
        assert state[f"{kind}/dense_1/bias"] == pytest.approx(bias, abs=1e-6)
    # An average of other weights than the last: nothing above is said of the same array twice.
    assert np.abs(averages[0] - weights[0]).max() > 1e-3


def test_targets_may_be_given_and_only_the_labels_count_as_right(small_digits):
    some = small_digits.take(np.arange(100))
    # Half and half between 0 and 1; a target that favours no digit would not be counted.
    halves = np.repeat(np.array([[0.5, 0.5, *[0] * 8]], np.float32), 100, axis=0)
    recipe = replace(LINEAR, averaging=None, optimizer=SGD(0.0), batch_size=100)
    engine = ScratchEngine(recipe, some, halves, seed=0)
    epoch = engine.train_epoch(0)
    logits = engine.logits(some.images)
    expected = -log_softmax(logits.astype(float), axis=1)[:, :2].mean()
    assert epoch.losses[0] == pytest.approx(expected, rel=1e-6)
    assert epoch.correct == np.count_nonzero(logits.argmax(axis=1) == some.labels)


def test_settling_puts_the_average_in_the_place_of_the_weights(small_digits):
    engine = ScratchEngine(LINEAR, small_digits, seed=0)
    trained(engine, range(2))
    before = engine.state()
    engine.settle()
    settled = weights_of(engine.state())
    for name, array in settled.items():
        np.testing.assert_array_equal(array, before[f"average/{name}"])
        assert not np.array_equal(array, before[f"weights/{name}"])


def test_without_averaging_nothing_settles(small_digits):
    engine = ScratchEngine(replace(NORMED, averaging=None), small_digits, seed=0)
    engine.train_epoch(0)
    before = engine.state()
    assert not any(name.startswith("average/") for name in before)
    engine.settle()
    for name, array in engine.state().items():
        np.testing.assert_array_equal(array, before[name])


def test_settled_statistics_are_those_of_images_as_training_changes_them_without_dropout(
    small_digits,
):
    network = Network(Dense(6), BatchNorm(), Dropout(0.5), Dense(10), BatchNorm(epsilon=0.1))
    # More images than are settled on, so that it must be these.
    digits = small_digits.take(stream(0, "some").integers(0, 1_000, 2_600))
    recipe = replace(NORMED, network=network, epochs=1)
    engine = ScratchEngine(recipe, digits, seed=2)
    engine.train_epoch(0)
    average = {
        name.removeprefix("average/"): array.astype(float)
        for name, array in engine.state().items()
        if name.startswith("average/")
    }
    engine.settle()
    settled = weights_of(engine.state())

    rows, warps = Courses(recipe, digits.images, seed=2).settling()
    x = warp(digits.images[rows], warps).reshape(2_048, 784).astype(float) / 255
    for number, epsilon in ((1, 1e-3), (2, 0.1)):
        dense, norm = f"dense_{number}", f"batchnorm_{number}"
        x = x @ average[f"{dense}/kernel"] + average[f"{dense}/bias"]
        # Sums of 784 and of 2,048 in float32.
        assert settled[f"{norm}/moving_mean"] == pytest.approx(x.mean(axis=0), abs=1e-5)
        assert settled[f"{norm}/moving_variance"] == pytest.approx(x.var(axis=0), rel=1e-5)
        x = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + epsilon)
        x = x * average[f"{norm}/gamma"] + average[f"{norm}/beta"]


def test_what_stands_inside_a_residual_settles_too(small_digits):
    network = Network(Residual(BatchNorm(), ReLU()), Dense(10))
    recipe = replace(NORMED, network=network, augmentation=())
    engine = ScratchEngine(recipe, small_digits, seed=2)
    engine.train_epoch(0)
    engine.settle()
    settled, pixels = weights_of(engine.state()), small_digits.images / 255
    # 784,000 pixels, added up in float32.
    assert settled["batchnorm_1/moving_mean"] == pytest.approx(pixels.mean(), rel=1e-5)
    assert settled["batchnorm_1/moving_variance"] == pytest.approx(pixels.var(), rel=1e-5)


def test_what_a_settled_network_says_of_its_images_is_normed(small_digits):
    """The last BatchNorm gives each logit, over the images it settled on, its beta and gamma."""
    engine = ScratchEngine(replace(NORMED, augmentation=()), small_digits, seed=2)
    trained(engine, range(2))
    engine.settle()
    weights, logits = weights_of(engine.state()), engine.logits(small_digits.images)
    variance, gamma = weights["batchnorm_3/moving_variance"], weights["batchnorm_3/gamma"]
    assert logits.mean(axis=0) == pytest.approx(weights["batchnorm_3/beta"], abs=1e-5)
    # epsilon is 0.001 beside the variance.
    expected = gamma * np.sqrt(variance / (variance + 1e-3))
    assert logits.std(axis=0) == pytest.approx(expected, rel=1e-4)


def test_a_restored_engine_goes_on_with_averages_and_warps_to_the_last_bit(small_digits):
    whole = ScratchEngine(NORMED, small_digits, seed=1)
    whole.train_epoch(0)
    saved = whole.state()
    epochs = trained(whole, (1, 2))

    resumed = ScratchEngine(NORMED, small_digits, seed=1)
    resumed.train_epoch(2)
    resumed.restore(saved)
    for one, other in zip(trained(resumed, (1, 2)), epochs, strict=True):
        np.testing.assert_array_equal(one.losses, other.losses)
    for engine in (whole, resumed):
        engine.settle()
    one, other = whole.state(), resumed.state()
    assert one.keys() == other.keys()
    averages = {name for name in one if name.startswith("average/")}
    assert averages == {f"average/{p.name}" for p in NORMED.network.parameters if p.trainable}
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)


def test_settling_takes_one_thread_so_that_bits_do_not_depend_on_cores(small_digits, monkeypatch):
    seen = []

    def spied(network, images):
        seen.extend(p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas")

    monkeypatch.setattr(ScratchNetwork, "take_statistics", spied)
    with threadpool_limits(2):
        ScratchEngine(LINEAR, small_digits, seed=1).settle()
    assert set(seen) == {1}
