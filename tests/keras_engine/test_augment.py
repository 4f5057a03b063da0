"""Warps, targets and averages as Keras applies them: held against the NumPy engine and against laws."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenfold.augmentation import (
    POINTS,
    Cutout,
    Elastic,
    Rotate,
    Scale,
    Shear,
    Shift,
    Warps,
    draw,
    ink_boxes,
)
from tenfold.digits import Digits
from tenfold.engine import Courses, weights_of
from tenfold.keras_engine import KerasEngine, build
from tenfold.keras_engine.augment import warp
from tenfold.keras_engine.model import take_statistics
from tenfold.layers import BatchNorm, Conv2D, Dense, Dropout, MaxPool, ReLU, Residual
from tenfold.network import Network
from tenfold.randomness import stream
from tenfold.recipe import SGD, Adam, Averaging, Recipe
from tenfold.scratch import augment as by_hand
from tenfold.weights import initial_weights

EVERY_KIND = (Shift(), Rotate(), Scale(), Shear(), Elastic(), Cutout())
RECIPE = Recipe(
    Network(Conv2D(4, stride=3, bias=False), BatchNorm(), ReLU(), MaxPool(3),
            Residual(Dropout(0.4), Conv2D(4), BatchNorm()), Dropout(0.3), Dense(10)),
    optimizer=Adam(),
    batch_size=100,
    epochs=3,
    augmentation=EVERY_KIND,
    label_smoothing=0.1,
    averaging=Averaging(0.9),
)  # fmt: skip


@given(
    seed=st.integers(0, 2**32),
    wildness=st.floats(0, 2),
    bend=st.one_of(st.none(), st.floats(0, 4)),
    side=st.integers(0, 28),
)
@settings(max_examples=40)
def test_keras_applies_any_warp_as_numpy_does(seed, wildness, bend, side):
    chance = np.random.default_rng(seed)
    # Ink up to the edge, unlike digits: there it shows what lies beyond.
    images = chance.integers(0, 256, (5, 28, 28)).astype(np.uint8)
    noise = chance.normal(0, [0.3, 0.3, 6], (5, 2, 3))
    affine = (np.eye(2, 3) + wildness * noise).astype(np.float32)
    bends = None if bend is None else chance.normal(0, bend, (5, 2, POINTS**2)).astype(np.float32)
    patches = chance.integers(-9, 28, (5, 2)).astype(np.float32) if side else None
    warps = Warps(affine, bends, patches, side)
    result = keras.ops.convert_to_numpy(warp(images[..., None], warps))
    assert (result.shape, result.dtype) == ((5, 28, 28, 1), np.float32)
    # Places tens of pixels away, to 1e-5, where neighbours differ by 255.
    assert result[..., 0] == pytest.approx(by_hand.warp(images, warps), abs=0.02)


def test_bytes_and_floats_are_warped_alike(digits: Digits):
    images = digits.images[:20, ..., None]
    warps = draw(EVERY_KIND, ink_boxes(digits.images[:20]), stream(0, "augmentation"))
    one, other = (keras.ops.convert_to_numpy(warp(x, warps)) for x in (images, images / np.float32(1)))  # fmt: skip
    np.testing.assert_array_equal(one, other)


def test_an_image_is_changed_by_its_own_warp_wherever_it_comes(digits: Digits):
    """Ten steps without learning, so each loss is that of its pictures alone, warped here by hand."""
    recipe = replace(
        RECIPE, network=Network(Dense(10)), optimizer=SGD(0.0), batch_size=80, averaging=None
    )
    engine = KerasEngine(recipe, digits, seed=4)
    losses = engine.train_epoch(2).losses
    course = Courses(recipe, digits.images, seed=4)(2)
    warped = by_hand.warp(digits.images, course.warps)
    start = initial_weights(recipe.network, 4)
    logits = warped.reshape(800, 784) / 255 @ start["dense_1/kernel"].astype(float)
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    targets = 0.01 + 0.9 * np.eye(10)[digits.known_labels]
    each = -(targets * log_p).sum(axis=1)
    assert losses == pytest.approx(each[course.rows].mean(axis=1), rel=1e-5)


@pytest.mark.slow
def test_averages_follow_the_weights_by_the_formula(digits: Digits):
    """One step an epoch, so that the weights after each can be seen."""
    recipe = replace(RECIPE, batch_size=800, averaging=Averaging(0.25))
    engine = KerasEngine(recipe, digits, seed=0)
    average = {n: a.astype(float) for n, a in weights_of(engine.state()).items()}
    for t in range(5):
        engine.train_epoch(t)
        state = engine.state()
        d = min(0.25, t / (t + 9))
        for name in average:
            average[name] += (1 - d) * (state[f"weights/{name}"] - average[name])
    kept = [name for name in state if name.startswith("average/")]
    assert [name.removeprefix("average/") for name in kept] == [
        p.name for p in recipe.network.parameters if p.trainable
    ]
    for name in kept:
        # Five roundings of float32.
        expected = average[name.removeprefix("average/")]
        assert state[name] == pytest.approx(expected, rel=1e-5, abs=1e-7), name


@pytest.mark.slow
def test_settled_statistics_are_those_of_images_as_training_changes_them_without_dropout(
    digits: Digits,
):
    network = Network(Dense(6), BatchNorm(), Dropout(0.5), Dense(10), BatchNorm(epsilon=0.1))
    # More images than are settled on, so that it must be these.
    many = digits.take(stream(0, "some").integers(0, 800, 2_600))
    engine = KerasEngine(replace(RECIPE, network=network), many, seed=2)
    engine.train_epoch(0)
    before = engine.state()
    engine.settle()
    settled = weights_of(engine.state())

    rows, warps = Courses(RECIPE, many.images, seed=2).settling()
    x = by_hand.warp(many.images[rows], warps).reshape(2_048, 784).astype(float) / 255
    for number, epsilon in ((1, 1e-3), (2, 0.1)):
        dense, norm = f"dense_{number}", f"batchnorm_{number}"
        for name in (f"{dense}/kernel", f"{dense}/bias", f"{norm}/gamma", f"{norm}/beta"):
            np.testing.assert_array_equal(settled[name], before[f"average/{name}"])
        x = x @ settled[f"{dense}/kernel"].astype(float) + settled[f"{dense}/bias"]
        # Keras takes the variance from sums of squares in float32.
        assert settled[f"{norm}/moving_mean"] == pytest.approx(x.mean(axis=0), abs=1e-4)
        assert settled[f"{norm}/moving_variance"] == pytest.approx(x.var(axis=0), rel=1e-4)
        x = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + epsilon)
        x = x * settled[f"{norm}/gamma"] + settled[f"{norm}/beta"]


def test_taking_statistics_leaves_the_model_as_it_was_made(digits: Digits):
    model = build(RECIPE.network, initial_weights(RECIPE.network, 0))
    before = [layer.get_config() for layer in model.layers]
    take_statistics(model, digits.images[..., None])
    assert [layer.get_config() for layer in model.layers] == before


def test_without_averaging_nothing_settles(digits: Digits):
    engine = KerasEngine(replace(RECIPE, averaging=None), digits, seed=0)
    before = engine.state()
    assert not any(name.startswith("average/") for name in before)
    engine.settle()
    for name, array in engine.state().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.slow
def test_a_restored_engine_goes_on_with_averages_and_warps_to_the_last_bit(digits: Digits):
    engine = KerasEngine(RECIPE, digits, seed=1)
    engine.train_epoch(0)
    saved = engine.state()
    ends = []
    for _ in range(2):
        losses = [engine.train_epoch(epoch).losses for epoch in (1, 2)]
        engine.settle()
        ends.append((losses, engine.state()))
        engine.restore(saved)
    (losses, one), (again, other) = ends
    np.testing.assert_array_equal(losses, again)
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)


@pytest.mark.slow
def test_targets_may_be_given_and_only_the_labels_count_as_right(digits: Digits):
    # Half and half between 0 and 1; a target that favours no digit would not be counted.
    halves = np.repeat(np.array([[0.5, 0.5, *[0] * 8]], np.float32), 800, axis=0)
    recipe = Recipe(Network(Dense(10)), optimizer=SGD(0.0), batch_size=800)
    engine = KerasEngine(recipe, digits, halves, seed=0)
    epoch = engine.train_epoch(0)
    logits = engine.logits(digits.images).astype(float)
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    assert epoch.losses[0] == pytest.approx(-log_p[:, :2].mean(), rel=1e-5)
    assert epoch.correct == np.sum(logits.argmax(axis=1) == digits.known_labels)
