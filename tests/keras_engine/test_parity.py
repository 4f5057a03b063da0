"""The engine that Keras computes and the one written by hand agree, step by step, for 100 steps.

Neither knows the other's code: an error in a gradient, an optimizer or an order of batches would
have to be made twice.
"""

import numpy as np
import pytest

from tenfold.augmentation import Cutout, Elastic, Rotate, Scale, Shear, Shift
from tenfold.digits import Digits
from tenfold.engine import Engine
from tenfold.keras_engine import KerasEngine
from tenfold.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    GlobalAveragePool,
    MaxPool,
    ReLU,
    Residual,
    Whitening,
)
from tenfold.network import Network
from tenfold.recipe import SGD, Adam, AdamW, Averaging, OneCycle, Recipe
from tenfold.scratch import ScratchEngine

pytestmark = pytest.mark.slow

SEED = Network(Dense(64), ReLU(), Dense(32), ReLU(), Dense(10))
# Without biases before BatchNorm: their gradient is 0, and Adam would make steps of its rounding.
RESIDUAL = Network(
    Conv2D(8, bias=False),
    BatchNorm(),
    ReLU(),
    MaxPool(),
    Residual(Conv2D(8, bias=False), BatchNorm(), ReLU()),
    GlobalAveragePool(),
    Dense(10),
)
NORMED = Network(Dense(32, bias=False), BatchNorm(), ReLU(), Dense(10, bias=False), BatchNorm())
WHITENED = Network(Whitening(8, 5, 2, "valid"), ReLU(), Conv2D(4), ReLU(), Dense(10))
EPOCHS = 4


def train(engine: Engine, epochs: range) -> tuple[np.ndarray, int]:
    """The losses of all steps, and the right answers in all."""
    results = [engine.train_epoch(epoch) for epoch in epochs]
    return np.concatenate([r.losses for r in results]), sum(r.correct for r in results)


def distances(one: Engine, other: Engine) -> dict[str, float]:
    """|a - b| / |b| for each array of the two states."""
    a, b = one.state(), other.state()
    assert a.keys() == b.keys()
    return {n: float(np.linalg.norm(a[n] - b[n]) / np.linalg.norm(b[n])) for n in a}


# What the two may differ by, in losses and in arrays (as a share of the array), is five times or
# more what was measured:
#   nesterov       loss 5e-7, arrays 2e-6. Adding the pictures of each batch in the opposite order
#                  changes as much: it is float32 rounding.
#   Adam, AdamW    loss 6e-6, arrays 2e-5. Keras raises 0.999 to the power t in float32, so that
#                  1 - 0.999^t, and with it the size of the first steps, is off by some 1e-5.
#   residual CNN   loss 9e-6, arrays 1e-2 at worst and 7e-4 in the middle of five seeds. Where a value
#                  lies within rounding of a ReLU's kink the gradient goes the other way, and BatchNorm
#                  hands it on to all; the opposite order parts from itself by 6e-4.
#   augmented      loss 4e-7, arrays 1e-6, as nesterov; averages and settled statistics the same.
@pytest.mark.parametrize(
    ("recipe", "loss_apart", "share_apart"),
    [
        (Recipe(SEED, optimizer=Adam()), 5e-5, 1e-4),
        (Recipe(SEED, optimizer=AdamW(weight_decay=0.1)), 5e-5, 1e-4),
        (
            Recipe(
                SEED,
                optimizer=SGD(0.05, momentum=0.9, nesterov=True),
                schedule=OneCycle(),
                epochs=EPOCHS,
            ),
            5e-6,
            1e-5,
        ),
        (Recipe(RESIDUAL, optimizer=Adam(1e-4)), 5e-5, 5e-2),
        (
            Recipe(
                NORMED,
                optimizer=SGD(0.05, momentum=0.9),
                augmentation=(Shift(), Rotate(), Scale(), Shear(), Elastic(), Cutout()),
                label_smoothing=0.1,
                averaging=Averaging(0.95),
            ),
            5e-6,
            1e-5,
        ),
        (Recipe(WHITENED, optimizer=SGD(0.05, momentum=0.9)), 5e-6, 1e-5),
    ],
    ids=[
        "Adam",
        "AdamW",
        "nesterov, one cycle",
        "residual CNN",
        "augmented and averaged",
        "whitened",
    ],
)
def test_both_engines_take_the_same_100_steps(
    recipe: Recipe, loss_apart: float, share_apart: float, digits: Digits
):
    ours, theirs = ScratchEngine(recipe, digits, seed=3), KerasEngine(recipe, digits, seed=3)
    our_losses, our_correct = train(ours, range(EPOCHS))
    losses, correct = train(theirs, range(EPOCHS))
    assert losses.shape == our_losses.shape == (100,)
    assert np.abs(losses - our_losses).max() < loss_apart
    # Two logits within rounding of each other may change places.
    assert abs(correct - our_correct) <= 1
    apart = distances(theirs, ours)
    assert apart.pop("step") == 0
    assert max(apart.values()) < share_apart, max(apart, key=apart.__getitem__)
    for engine in (ours, theirs):
        engine.settle()
    apart = distances(theirs, ours)
    assert max(apart.values()) < share_apart, max(apart, key=apart.__getitem__)


def test_either_engine_goes_on_from_where_the_other_stopped(digits: Digits):
    recipe = Recipe(SEED, optimizer=Adam(0.01))
    ours, theirs = ScratchEngine(recipe, digits, seed=3), KerasEngine(recipe, digits, seed=3)
    train(ours, range(2))
    theirs.restore(ours.state())
    for name, array in theirs.state().items():
        np.testing.assert_array_equal(array, ours.state()[name])
        assert array.dtype == ours.state()[name].dtype
    train(theirs, range(2, 3))
    ours.restore(theirs.state())
    train(ours, range(3, 4))
    straight = KerasEngine(recipe, digits, seed=3)
    train(straight, range(4))
    # Ten times the learning rate of the test above, and with it ten times what Adam may differ by.
    apart = distances(straight, ours)
    assert max(apart.values()) < 1e-3, max(apart, key=apart.__getitem__)
