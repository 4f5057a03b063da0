"""How many images, or seeds, would it take to see a difference of this size?

A test that finds nothing may have had too little to look at. These say how much would have been enough
to find the difference 8 times in 10, at the level that `SIGNIFICANT` asks for.
"""

import math
from statistics import NormalDist

from tenfold.errors import DataError
from tenfold.statistics.difference import FEWEST_PAIRS, SIGNIFICANT

# The power of Cohen 1988 and of most planned trials.
POWER = 0.8
# Beyond as many seeds the question is answered: nobody will train them.
MOST_SEEDS = 1_000_000


def images_needed(
    only_first: float, only_second: float, *, power: float = POWER, level: float = SIGNIFICANT
) -> int | None:
    """On how many images McNemar's test would see the difference of two models.

    Args:
        only_first: the share of images that only the first tells right, 0..1.
        only_second: the share that only the second does, 0..1.
        power: how often it is to be seen, 0 < power < 1.
        level: below which p-value it counts as seen, 0 < level < 1.

    Returns:
        The number of images, or None where the shares do not differ: no number is enough.

    Raises:
        DataError: the shares are none.

    Source: Connor 1987, "Sample size for testing differences in proportions for the paired-sample
    design", Biometrics 43:207-211, for the test without continuity correction. The exact test needs a few more.
    """
    if not (0 <= only_first <= 1 and 0 <= only_second <= 1 and only_first + only_second <= 1):
        raise DataError(
            f"power: expected two shares of the same images, each 0..1 and not above 1 together, received "
            f"{only_first:g} and {only_second:g}. Divide the counts by the number of images."
        )
    discordant, difference = only_first + only_second, abs(only_first - only_second)
    if difference == 0:
        return None
    limit, wanted = _normal_points(power, level)
    # Not below 0: of shares 1 and 0 the square of the difference is the share of images that differ.
    spread = math.sqrt(max(discordant - difference**2, 0.0))
    return math.ceil(((limit * math.sqrt(discordant) + wanted * spread) / difference) ** 2)


def seeds_needed(difference: float, sd: float, *, paired: bool, power: float = POWER) -> int | None:
    """How many seeds a two-sided t-test would need to see a difference of means.

    Args:
        difference: between the means of the two recipes, in any unit.
        sd: in the same unit: paired, of the differences of pairs of one seed; otherwise of the runs of one recipe.
        paired: whether both are trained with the same seeds.
        power: how often it is to be seen, 0 < power < 1.

    Returns:
        The seeds of each recipe, at least 8 where paired (with fewer no sign-flip test finds any); None where
        there is no difference, or more than a million would be needed.

    Raises:
        DataError: `sd` is not above 0, or a number is not finite.

    Source: the power of the t-test by the noncentral t distribution, as in Cohen 1988.
    """
    if not (math.isfinite(difference) and math.isfinite(sd) and sd > 0):
        raise DataError(
            f"power: expected a finite difference and a standard deviation above 0, received {difference:g} and "
            f"{sd:g}. Train each recipe with at least two seeds."
        )
    _normal_points(power)
    effect = abs(difference) / sd
    fewest = FEWEST_PAIRS if paired else 2
    if effect == 0 or _power(effect, MOST_SEEDS, paired=paired) < power:
        return None
    low, high = fewest - 1, MOST_SEEDS  # the power grows with n: halve what is left
    while high - low > 1:
        middle = (low + high) // 2
        if _power(effect, middle, paired=paired) < power:
            low = middle
        else:
            high = middle
    return high


def _power(effect: float, n: int, *, paired: bool) -> float:
    """How often the test finds a difference of `effect` standard deviations with n values (of each)."""
    from scipy.stats import nct, t

    freedom = n - 1 if paired else 2 * (n - 1)
    shift = effect * math.sqrt(n if paired else n / 2)
    limit = float(t.ppf(1 - SIGNIFICANT / 2, freedom))
    # Of the side away from the difference less than 0.005 is left out, where SciPy loses digits.
    found = float(nct.sf(limit, freedom, shift))
    # Far out it gives NaN, where the answer is 1.
    return 1.0 if math.isnan(found) else found


def _normal_points(power: float, level: float = SIGNIFICANT) -> tuple[float, float]:
    if not 0 < power < 1:
        raise DataError(f"power: expected a share above 0 and below 1, received {power:g}.")
    normal = NormalDist()
    return normal.inv_cdf(1 - level / 2), normal.inv_cdf(power)
