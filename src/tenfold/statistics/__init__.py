"""Counts and samples in, honest figures out: intervals, summaries, paired tests.

Knows nothing about images, models or files.
"""

from tenfold.statistics.paired import McNemar, mcnemar
from tenfold.statistics.proportion import Proportion
from tenfold.statistics.summary import Summary, summarise

__all__ = ["McNemar", "Proportion", "Summary", "mcnemar", "summarise"]
