"""Intervals, paired tests and summaries against hand calculations, scipy and the laws they must obey."""

import math

import numpy as np
import pytest
from scipy import stats

from tenfold.errors import DataError
from tenfold.statistics import Proportion, mcnemar, summarise


def test_a_proportion_prints_its_count_and_its_wilson_interval():
    assert str(Proportion(9_912, 10_000)) == "99.12% (9,912/10,000; 95 % CI 98.92% to 99.29%)"


@pytest.mark.parametrize(
    ("successes", "total"), [(0, 1), (0, 10), (7, 7), (3, 11), (9_999, 10_000)]
)
def test_the_interval_is_scipys_wilson_interval(successes, total):
    expected = stats.binomtest(successes, total).proportion_ci(0.95, method="wilson")
    # Both evaluate the same closed form in float64; only the order of operations differs.
    assert Proportion(successes, total).interval() == pytest.approx(tuple(expected), abs=1e-12)


def test_a_proportion_of_nothing_says_so():
    assert str(Proportion(0, 0)) == "none (0/0)"
    assert math.isnan(Proportion(0, 0).share)
    assert all(math.isnan(end) for end in Proportion(0, 0).interval())


def test_mcnemar_counts_what_only_one_got_right_and_asks_a_fair_coin():
    first = np.array([True] * 9 + [False] * 1 + [True] * 5)
    second = np.array([False] * 9 + [True] * 1 + [True] * 5)
    result = mcnemar(first, second)
    assert (result.only_first, result.only_second) == (9, 1)
    # Two-sided: P(9 or 10 heads or 0 or 1 of 10) = 2 (1 + 10) / 1024.
    assert result.p_value == pytest.approx(22 / 1024, rel=1e-12)


def test_classifiers_that_never_differ_do_not_differ():
    right = np.array([True, False, True])
    assert mcnemar(right, right).p_value == 1.0


def test_mcnemar_refuses_results_on_different_images():
    with pytest.raises(DataError, match="same images"):
        mcnemar(np.ones(3, bool), np.ones(4, bool))


def test_a_summary_gives_scipys_t_interval():
    values = [0.991, 0.989, 0.993, 0.990, 0.992]
    result = summarise(values)
    expected = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
    assert (result.low, result.high) == pytest.approx(expected, rel=1e-12)
    assert (result.n, result.minimum, result.median, result.maximum) == (5, 0.989, 0.991, 0.993)
    assert result.sd == pytest.approx(np.std(values, ddof=1), rel=1e-12)


def test_one_value_has_no_spread():
    result = summarise([0.5])
    assert result.mean == 0.5
    assert math.isnan(result.sd)
    assert math.isnan(result.low)


@pytest.mark.parametrize("values", [[], [math.nan], [1.0, math.inf]])
def test_a_summary_of_nothing_or_of_no_numbers_is_refused(values):
    with pytest.raises(DataError, match="finite"):
        summarise(values)


def test_lists_and_arrays_are_taken_alike():
    assert summarise(np.array([0.5, 0.7])) == summarise([0.5, 0.7])
    right = [True, False, True], [False, True, True]
    assert mcnemar(*right) == mcnemar(*map(np.array, right))


@pytest.mark.parametrize("total", [1, 40, 10_000])
def test_the_interval_holds_none_and_all_themselves(total):
    assert Proportion(0, total).interval()[0] == 0.0
    assert Proportion(total, total).interval()[1] == 1.0
    assert (
        0 < Proportion(1, total + 1).interval()[0] < Proportion(total, total + 1).interval()[1] < 1
    )
