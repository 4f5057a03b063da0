"""Many trainings: a recipe with many seeds, and whether one recipe is better than another over them.

plan         what all runs of a repeat have in common, and the check that they do
processes    one training in a process of its own, by the command line
result       what the runs gave, as a value that prints itself
folder       repeat.json and the runs beside it
repeating    the runs that are missing, some at a time, until all are there
comparison   two repeats -> the difference between their recipes
"""

from tenfold.scaling.comparison import RepeatComparison, compare_repeats
from tenfold.scaling.folder import is_repeat, open_repeat
from tenfold.scaling.plan import Plan
from tenfold.scaling.repeating import repeat
from tenfold.scaling.result import Repeat

__all__ = [
    "Plan",
    "Repeat",
    "RepeatComparison",
    "compare_repeats",
    "is_repeat",
    "open_repeat",
    "repeat",
]
