"""Counts and samples in, honest figures out: intervals, summaries, paired tests.

Knows nothing about images, models or files.
"""

from tenfold.statistics.difference import (
    FEWEST_PAIRS,
    SIGNIFICANT,
    Difference,
    paired_difference,
    sign_flip,
    welch_difference,
)
from tenfold.statistics.paired import McNemar, mcnemar
from tenfold.statistics.proportion import Proportion
from tenfold.statistics.summary import Summary, summarise

__all__ = [
    "FEWEST_PAIRS",
    "SIGNIFICANT",
    "Difference",
    "McNemar",
    "Proportion",
    "Summary",
    "mcnemar",
    "paired_difference",
    "sign_flip",
    "summarise",
    "welch_difference",
]
