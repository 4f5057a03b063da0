"""Differences over seeds against scipy, enumeration by hand, and what equal recipes must give."""

import itertools
import json
import math

import numpy as np
import pytest
from scipy import stats

from tenfold.errors import DataError
from tenfold.statistics import FEWEST_PAIRS, paired_difference, sign_flip, welch_difference

FIRST = [9_951, 9_948, 9_957, 9_950, 9_946, 9_955, 9_949, 9_953, 9_951, 9_944]
SECOND = [9_944, 9_949, 9_947, 9_941, 9_946, 9_940, 9_943, 9_951, 9_942, 9_939]


def test_sign_flips_counted_by_hand():
    # Of the 8 patterns of 3, 1 and 2: +6, +4, +2, 0, 0, -2, -4, -6; the sum received is 4.
    assert sign_flip([3, -1, 2]) == 4 / 8
    # All of one sign: only that pattern and its opposite.
    assert sign_flip([5, 1, 7, 2, 2, 9, 4, 3]) == 2 / 2**8


@pytest.mark.parametrize("seed", range(5))
def test_sign_flips_are_those_of_writing_every_pattern_down(seed):
    differences = np.random.default_rng(seed).integers(-6, 8, 11)
    reached = abs(differences.sum())
    patterns = [np.dot(signs, differences) for signs in itertools.product([1, -1], repeat=11)]
    assert sign_flip(differences.tolist()) == np.mean(np.abs(patterns) >= reached)


def test_sign_flips_are_those_of_scipys_exact_permutation_test():
    differences = np.subtract(FIRST, SECOND)
    expected = stats.permutation_test(
        (np.array(FIRST), np.array(SECOND)),
        lambda a, b, axis: (a - b).sum(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    ).pvalue
    assert sign_flip(differences.tolist()) == pytest.approx(expected, rel=1e-12)


def test_many_pairs_are_no_sample_of_the_patterns():
    # 2**60 patterns; only two are as extreme as all of one sign, and nothing else is rounded in.
    assert sign_flip([1] * 60) == pytest.approx(2**-59, rel=1e-12)


def test_pairs_that_never_differ_do_not_differ():
    result = paired_difference([9_900, 9_910], [9_900, 9_910], total=10_000)
    assert (result.mean, result.p_value, result.found) == (0.0, 1.0, False)


def test_p_values_of_exchangeable_pairs_are_no_smaller_than_chance_makes_them():
    # Both of a pair from one distribution: an exact test calls a difference at level a at most a of the
    # time. 4 standard errors of a share of 2,000.
    rng = np.random.default_rng(1)
    pairs = rng.binomial(1_000_000, 0.995, (2_000, 2, 10))
    p_values = np.array([sign_flip((a - b).tolist()) for a, b in pairs])
    for level in (0.01, 0.05, 0.2, 0.5):
        slack = 4 * math.sqrt(level * (1 - level) / 2_000)
        assert np.mean(p_values <= level) <= level + slack
    # Nor larger, or no difference would ever be found. The 512 steps are too small for this test to see.
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_the_paired_interval_is_scipys():
    result = paired_difference(FIRST, SECOND, total=10_000)
    expected = stats.ttest_rel(FIRST, SECOND).confidence_interval(0.95)
    assert result.mean == pytest.approx(0.00062, rel=1e-12)  # 62 images more over ten pairs
    assert (result.low, result.high) == pytest.approx(np.divide(expected, 10_000), rel=1e-9)
    assert (result.test, result.n) == ("paired", (10, 10))
    assert result.sd == pytest.approx(np.std(np.subtract(FIRST, SECOND), ddof=1) / 10_000, rel=1e-9)


def test_too_few_pairs_never_show_a_difference():
    assert FEWEST_PAIRS == 8  # 2 / 2**7 is above 0.01, 2 / 2**8 below
    for n, found in ((7, False), (8, True)):
        assert paired_difference([9_990] * n, [9_000] * n, total=10_000).found is found


def test_one_pair_has_no_interval():
    result = paired_difference([9], [8], total=10)
    assert (result.p_value, result.found) == (1.0, False)
    assert math.isnan(result.low)
    assert json.loads(json.dumps(result.json(), allow_nan=False))["low"] is None


def test_pairs_need_partners():
    with pytest.raises(DataError, match="received 2 and 1"):
        paired_difference([1, 2], [1], total=10)
    with pytest.raises(DataError, match="at least one"):
        paired_difference([], [], total=10)


def test_unpaired_samples_get_scipys_welch_test():
    first, second = np.divide(FIRST, 10_000), np.divide(SECOND[:6], 10_000)
    result = welch_difference(first.tolist(), second.tolist())
    expected = stats.ttest_ind(first, second, equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert result.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert (result.low, result.high) == pytest.approx(tuple(interval), rel=1e-9)
    assert (result.test, result.n) == ("welch", (10, 6))
    variances = np.var(first, ddof=1), np.var(second, ddof=1)
    assert result.sd == pytest.approx(np.sqrt(np.mean(variances)), rel=1e-9)


def test_p_values_of_welchs_test_on_equals_are_uniform():
    samples = np.random.default_rng(2).normal(0.995, 0.0005, (1_000, 15))
    p_values = [welch_difference(s[:10].tolist(), s[10:].tolist()).p_value for s in samples]
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


@pytest.mark.parametrize(
    ("first", "second"), [([0.9], [0.8, 0.7]), ([0.9] * 3, [0.8] * 3), ([0.9], [0.8])]
)
def test_without_spread_there_is_no_test(first, second):
    result = welch_difference(first, second)
    assert not result.found
    assert math.isnan(result.p_value)
    assert result.mean == pytest.approx(0.9 - np.mean(second))
