"""Counts and samples in, honest figures out: intervals, summaries, tests, calibration, power.

Knows nothing about images, models or files.

proportion · summary     a count, or several values, with its interval
paired · bootstrap       two models on the same images: McNemar's test, an interval of the difference
difference               two recipes over seeds
power                    how many images or seeds it would take to see a difference
calibration · coverage   whether probabilities are true; what is gained by leaving the doubtful out
"""

from tenfold.statistics.bootstrap import Resampled, paired_bootstrap
from tenfold.statistics.calibration import Bin, Calibration, Chance, calibration, log_losses
from tenfold.statistics.coverage import COVERAGES, Coverage, Kept, coverage
from tenfold.statistics.difference import (
    FEWEST_PAIRS,
    SIGNIFICANT,
    Difference,
    paired_difference,
    sign_flip,
    welch_difference,
)
from tenfold.statistics.paired import McNemar, mcnemar
from tenfold.statistics.power import images_needed, seeds_needed
from tenfold.statistics.proportion import Proportion
from tenfold.statistics.summary import Summary, summarise

__all__ = [
    "COVERAGES",
    "FEWEST_PAIRS",
    "SIGNIFICANT",
    "Bin",
    "Calibration",
    "Chance",
    "Coverage",
    "Difference",
    "Kept",
    "McNemar",
    "Proportion",
    "Resampled",
    "Summary",
    "calibration",
    "coverage",
    "images_needed",
    "log_losses",
    "mcnemar",
    "paired_bootstrap",
    "paired_difference",
    "seeds_needed",
    "sign_flip",
    "summarise",
    "welch_difference",
]
