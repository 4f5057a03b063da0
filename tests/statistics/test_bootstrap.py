"""The paired bootstrap against the normal interval it must approach, and against repeated experiments."""

import numpy as np
import pytest

from tenfold.errors import DataError
from tenfold.statistics import paired_bootstrap


def test_of_many_images_it_is_the_normal_interval():
    rng = np.random.default_rng(0)
    first, second = rng.random(4_000) < 0.97, rng.random(4_000) < 0.95
    result = paired_bootstrap(first, second)
    differences = first.astype(float) - second
    half = 1.96 * differences.std() / np.sqrt(4_000)
    assert result.mean == pytest.approx(differences.mean(), rel=1e-12)
    # The ends of 2,000 resamples are known to within about 4 % of the half width.
    assert result.low == pytest.approx(differences.mean() - half, abs=0.12 * half)
    assert result.high == pytest.approx(differences.mean() + half, abs=0.12 * half)
    assert result.n == 4_000


def test_what_both_share_does_not_widen_it():
    rng = np.random.default_rng(1)
    hard = rng.exponential(5.0, 500)  # losses of hard and easy images, the same for both
    first, second = hard + rng.normal(0.1, 0.1, 500), hard
    result = paired_bootstrap(first, second)
    assert result.high - result.low < 0.03  # unpaired it would be 1.2
    assert result.low < 0.1 < result.high


@pytest.mark.slow
def test_nineteen_in_twenty_intervals_hold_the_truth():
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        result = paired_bootstrap(rng.random(300) < 0.9, rng.random(300) < 0.8, seed=seed)
        held += result.low <= 0.1 <= result.high
    assert 0.95 - 4 * 0.0154 <= held / 200 <= 0.995  # four standard errors below


def test_the_same_values_give_the_same_interval():
    rng = np.random.default_rng(2)
    first, second = rng.random(50), rng.random(50)
    assert paired_bootstrap(first, second) == paired_bootstrap(first, second)
    turned = paired_bootstrap(second, first)
    assert turned.mean == -paired_bootstrap(first, second).mean


def test_models_that_never_differ_do_not_differ():
    assert paired_bootstrap([1, 0, 1], [1, 0, 1]) == (3, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [([1.0], [0.0], "n >= 2"), ([1, 0], [1, 0, 1], "one data set"), ([1, np.nan], [1, 1], "NaN")],
)
def test_what_is_not_paired_is_refused_in_a_sentence(first, second, words):
    with pytest.raises(DataError, match=words):
        paired_bootstrap(first, second)
