"""Optimizers by hand, one or two steps each. Longer runs are held against Keras in `test_against_keras`."""

import numpy as np
import pytest

from tenfold import recipe
from tenfold.randomness import stream
from tenfold.scratch.optimizers import optimizer_for

ALL = {
    "sgd": recipe.SGD(),
    "momentum": recipe.SGD(momentum=0.9),
    "nesterov": recipe.SGD(momentum=0.9, nesterov=True),
    "adam": recipe.Adam(),
    "adamw": recipe.AdamW(),
}


def walk(settings, gradients, *, rate, start=1.0):
    """Where a single weight stands after a step along each gradient."""
    w = np.array([start])
    optimizer = optimizer_for(settings, w)
    for gradient in gradients:
        optimizer.update(w, np.array([gradient]), rate=rate)
    return w[0]


def test_sgd_by_hand():
    assert walk(recipe.SGD(), [2, 3], rate=0.1) == pytest.approx(1 - 0.2 - 0.3, rel=1e-15)


def test_momentum_by_hand():
    # v = -0.2, then 0.5 * -0.2 - 0.3 = -0.4
    assert walk(recipe.SGD(momentum=0.5), [2, 3], rate=0.1) == pytest.approx(0.4, rel=1e-15)


def test_nesterov_by_hand():
    # v = -0.2: w += 0.5 * -0.2 - 0.2 = -0.3; then v = -0.4: w += 0.5 * -0.4 - 0.3 = -0.5
    settings = recipe.SGD(momentum=0.5, nesterov=True)
    assert walk(settings, [2, 3], rate=0.1) == pytest.approx(0.2, rel=1e-15)


def test_adam_by_hand():
    # m = 0.5 * 4 = 2, v = 0.25 * 16 = 4; rate sqrt(0.25) / 0.5 = rate; 0.1 * 2 / (2 + 2) = 0.05
    settings = recipe.Adam(beta_1=0.5, beta_2=0.75, epsilon=0.9999999)
    first = 1 - 0.1 * 2 / 2.9999999
    assert walk(settings, [4], rate=0.1) == pytest.approx(first, rel=1e-15)
    # m = 2 + 0.5 (8 - 2) = 5, v = 4 + 0.25 (64 - 4) = 19; sqrt(1 - 0.75^2) / (1 - 0.5^2)
    second = first - 0.1 * np.sqrt(0.4375) / 0.75 * 5 / (np.sqrt(19) + 0.9999999)
    assert walk(settings, [4, 8], rate=0.1) == pytest.approx(second, rel=1e-15)


def test_adams_first_step_is_the_rate_whatever_the_size_of_the_gradient():
    for gradient in (1e-3, 1.0, 1e3):
        # epsilon is 1e-7 beside sqrt(v) = sqrt(0.001) * gradient >= 3e-5, so 0.3 % at most.
        assert walk(recipe.Adam(), [gradient], rate=0.01) == pytest.approx(0.99, rel=5e-5)


def test_adamw_shrinks_by_rate_times_decay_and_then_steps_as_adam_does():
    settings = recipe.AdamW(weight_decay=0.5)
    shrunk = 1 - 0.1 * 0.5
    assert walk(settings, [4], rate=0.1) == walk(recipe.Adam(), [4], rate=0.1, start=shrunk)


@pytest.mark.parametrize("kind", ALL)
def test_a_step_leaves_the_gradient_and_the_other_weights_alone_and_is_counted(kind):
    rng = stream(0, "weights")
    w, g = rng.standard_normal(20).astype(np.float32), rng.standard_normal(20).astype(np.float32)
    g[7] = 0
    before, given = w.copy(), g.copy()
    optimizer = optimizer_for(ALL[kind], w)
    optimizer.update(w, g, rate=0.01)
    assert np.array_equal(g, given)
    assert optimizer.steps == 1
    shrink = 1 - 0.01 * getattr(ALL[kind], "weight_decay", 0)
    assert w[7] == np.float32(before[7] * shrink)
    assert np.all(np.sign(before - w)[g != 0] == np.sign(g)[g != 0])


@pytest.mark.parametrize("kind", ALL)
def test_a_bowl_is_walked_down_to_its_middle(kind):
    target = stream(0, "target").uniform(-1, 1, 8)
    w = np.zeros(8)
    optimizer = optimizer_for(ALL[kind], w)
    for _ in range(600):
        optimizer.update(w, w - target, rate=0.05)
    # AdamW's shrinking pulls each weight towards 0 with 0.4 % of itself, against a step of full size.
    assert np.allclose(w, target, rtol=0, atol=5e-3)


@pytest.mark.parametrize("kind", ["momentum", "nesterov", "adam", "adamw"])
def test_what_fades_is_forgotten_before_a_processor_computes_slowly_with_it(kind):
    # 0.9^1000 = 2e-46: without that, float32 has every slot of Adam's first moment below its smallest normal
    # number (1.2e-38) after some 830 steps. The same walk in float64, which has none so small, is the oracle.
    walked = {}
    for dtype in (np.float32, np.float64):
        w = np.ones(3, dtype)
        optimizer = optimizer_for(ALL[kind], w)
        for step in range(1280):
            g = np.array([1, 1e-3, 0.5], dtype) if step == 0 else np.zeros(3, dtype)
            optimizer.update(w, g, rate=0.01)
            if dtype is np.float32 and (step + 1) % 32 == 0:
                for slot in optimizer.slots.values():
                    assert np.all((slot == 0) | (np.abs(slot) > np.finfo(dtype).tiny))
        walked[dtype] = w
    # 1280 roundings of 6e-8 each, at most, of which most are of steps that are 0 by then.
    assert np.allclose(walked[np.float32], walked[np.float64], rtol=0, atol=1e-5)


def test_a_small_second_moment_is_kept_while_the_first_is_divided_by_it():
    # v of 2.5e-31 is below what is forgotten, m of 5e-16 is not: without v a step would be m / epsilon = 5e14.
    settings = recipe.Adam(epsilon=1e-30)
    w = np.zeros(1, np.float32)
    optimizer = optimizer_for(settings, w)
    for _ in range(96):
        optimizer.update(w, np.array([5e-16], np.float32), rate=0.01)
    # Equal gradients make every step of Adam the rate; 2.5e-34, the first v, is subnormal and less exact.
    assert w[0] == pytest.approx(-0.96, rel=1e-2)
