"""How many would be needed, against published tables, the power itself, and simulated experiments."""

import math

import numpy as np
import pytest
from scipy import stats

from tenfold.errors import DataError
from tenfold.statistics import images_needed, seeds_needed
from tenfold.statistics.power import _power


def mcnemar_power(n: int, only_first: float, only_second: float) -> float:
    """How often the exact test finds the difference on n images at 0.01, every outcome counted."""
    discordant = only_first + only_second
    found = 0.0
    for m in range(1, int(stats.binom.isf(1e-12, n, discordant)) + 1):
        b = np.arange(m + 1)
        p_values = 2 * stats.binom.cdf(np.minimum(b, m - b), m, 0.5)
        chance = stats.binom.pmf(b, m, only_first / discordant)
        found += stats.binom.pmf(m, n, discordant) * chance[p_values < 0.01].sum()
    return found


@pytest.mark.parametrize(
    ("only_first", "only_second"), [(0.005, 0.002), (0.2, 0.1), (0.01, 0.03), (0.006, 0.001)]
)
def test_so_many_images_find_a_difference_eight_times_in_ten(only_first, only_second):
    n = images_needed(only_first, only_second)
    # The formula is that of the test by the normal distribution; the exact one finds a little less.
    assert mcnemar_power(n, only_first, only_second) == pytest.approx(0.79, abs=0.015)


def test_connors_formula_by_hand():
    # z(0.995) = 2.575829, z(0.8) = 0.841621; 40 against 20 of 1,000: psi 0.06, delta 0.02.
    root = 2.575829 * math.sqrt(0.06) + 0.841621 * math.sqrt(0.06 - 0.0004)
    assert images_needed(0.04, 0.02) == math.ceil((root / 0.02) ** 2) == 1_749


def test_a_smaller_difference_takes_more_images_and_none_takes_forever():
    needed = [images_needed(0.01 + d, 0.01) for d in (0.004, 0.002, 0.001)]
    assert needed == sorted(needed)
    assert needed[2] / needed[1] == pytest.approx(4, rel=0.1)  # half as large, four times as many
    assert images_needed(0.01, 0.01) is None
    assert images_needed(0.0, 0.0) is None
    assert images_needed(0.02, 0.01) == images_needed(0.01, 0.02)
    assert images_needed(0.02, 0.01, power=0.9) > images_needed(0.02, 0.01)


@pytest.mark.parametrize(("paired", "shared"), [(True, 1), (False, 2)])
def test_many_seeds_are_as_many_as_the_normal_distribution_says(paired, shared):
    # (z(0.995) + z(0.8))^2 (sd / difference)^2, for each of two samples twice; the t-test asks for
    # about z(0.995)^2 / 2 = 3.3 more of one sample, and half as many more of each of two.
    expected = shared * ((2.575829 + 0.841621) / 0.1) ** 2
    assert seeds_needed(0.1, 1.0, paired=paired) == pytest.approx(expected + 3.3 / shared, abs=1.5)


@pytest.mark.parametrize("paired", [True, False])
def test_so_many_seeds_find_a_difference_eight_times_in_ten(paired):
    n = seeds_needed(0.03, 0.025, paired=paired)
    rng = np.random.default_rng(0)
    if paired:
        p_values = stats.ttest_1samp(rng.normal(0.03, 0.025, (4_000, n)), 0, axis=1).pvalue
    else:
        second = rng.normal(0.0, 0.025, (4_000, n))
        first = rng.normal(0.03, 0.025, (4_000, n))
        p_values = stats.ttest_ind(first, second, axis=1).pvalue
    found = np.mean(p_values < 0.01)
    # Never below 0.8 but for chance (four standard errors of 4,000); one seed less is not enough.
    assert found > 0.8 - 0.026
    assert _power(0.03 / 0.025, n - 1, paired=paired) < 0.8 <= _power(1.2, n, paired=paired)


def test_seeds_have_a_floor_and_a_ceiling():
    assert seeds_needed(100.0, 1.0, paired=True) == 8  # what a sign-flip test needs at least
    assert seeds_needed(100.0, 1.0, paired=False) == 2
    assert seeds_needed(0.0, 1.0, paired=True) is None
    assert seeds_needed(1e-6, 1.0, paired=True) is None
    assert seeds_needed(-1.0, 1.0, paired=True) == seeds_needed(1.0, 1.0, paired=True)


def test_what_has_no_power_is_refused_in_a_sentence():
    for shares in ((-0.1, 0.2), (0.7, 0.6), (math.nan, 0.1)):
        with pytest.raises(DataError, match="two shares"):
            images_needed(*shares)
    for difference, sd in ((0.1, 0.0), (math.nan, 1.0), (0.1, math.inf)):
        with pytest.raises(DataError, match="at least two seeds"):
            seeds_needed(difference, sd, paired=True)
    with pytest.raises(DataError, match="below 1"):
        images_needed(0.2, 0.1, power=1.0)
    with pytest.raises(DataError, match="below 1"):
        seeds_needed(0.2, 0.1, paired=False, power=0.0)
