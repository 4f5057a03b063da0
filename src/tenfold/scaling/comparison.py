"""Two repeats -> the difference between their recipes, over seeds.

McNemar's test of two runs (`tenfold.compare`) asks whether two trained networks differ; another seed gives
other networks. This asks whether the recipes do.
"""

import math
from dataclasses import dataclass
from typing import Any

from tenfold.errors import DataError, ModelError
from tenfold.scaling.result import Accuracy, Repeat, seeds_in_words
from tenfold.statistics import (
    FEWEST_PAIRS,
    Difference,
    Summary,
    paired_difference,
    seeds_needed,
    welch_difference,
)


@dataclass(frozen=True)
class RepeatComparison:
    """What two repeats gave, and how far apart their recipes are.

    Attributes:
        first, second: the repeats.
        test: first - second in the share of test images told correctly; None where the digits have no
            test part.
        validation: the same of the validation part, on which choices are made; None where nothing was
            set aside, or not the same.
    """

    first: Repeat
    second: Repeat
    test: Difference | None
    validation: Difference | None

    @property
    def names(self) -> tuple[str, str]:
        """What the two are called: their folders' names, or paths where the names are the same."""
        names = self.first.name, self.second.name
        return names if names[0] != names[1] else (str(self.first.folder), str(self.second.folder))

    def rows(self) -> list[tuple[str, str, str]]:
        """A table with its head: a label, and a cell for each of the two."""
        cells = [_cells(repeat) for repeat in (self.first, self.second)]
        return [
            ("", *self.names),
            *((label, cells[0][label], cells[1][label]) for label in cells[0]),
        ]

    def sentences(self) -> list[str]:
        """What was found, and what to know before believing it."""
        found = [
            _sentence(part, difference, self.names)
            for part, difference in (("validation", self.validation), ("test", self.test))
            if difference is not None
        ]
        warnings = [
            f"{name}: {len(repeat.failed)} of {len(repeat.seeds)} seeds failed and are not in these figures."
            for name, repeat in zip(self.names, (self.first, self.second), strict=True)
            if repeat.failed
        ]
        return found + warnings

    def json(self) -> dict[str, Any]:
        """Plain JSON values; differences are shares, first - second."""
        return {
            "repeats": [
                {"name": name} | repeat.json()
                for name, repeat in zip(self.names, (self.first, self.second), strict=True)
            ],
            "validation": self.validation and self.validation.json(),
            "test": self.test and self.test.json(),
            "sentences": self.sentences(),
        }

    def __str__(self) -> str:
        return "\n".join(self.sentences())


def compare_repeats(first: Repeat, second: Repeat) -> RepeatComparison:
    """The first's accuracy minus the second's: pair by pair where both have the same seeds, else by Welch.

    Raises:
        ModelError: one has no finished run.
        DataError: they were not judged on the same digits.
    """
    for repeat in (first, second):
        if not repeat.runs:
            raise ModelError(
                f"{repeat.folder}: expected finished runs to compare, received none: all "
                f"{len(repeat.failed)} seeds failed."
            )
    hashes = first.plan.data_hash, second.plan.data_hash
    if hashes[0]["test"] != hashes[1]["test"]:
        raise DataError(
            f"{first.folder} and {second.folder}: expected repeats that were judged on the same test "
            f"images, received {first.plan.data} and {second.plan.data}. Repeat both on one data set."
        )
    paired = first.finished == second.finished
    test = _difference(first.test, second.test, paired=paired)
    validation = None
    if hashes[0]["train"] == hashes[1]["train"]:
        validation = _difference(first.validation, second.validation, paired=paired)
    if test is None and validation is None:
        raise DataError(
            f"{first.folder} and {second.folder}: expected a test or a validation part that both were "
            "judged on, received none. Repeat both on one data set, with the same validation share."
        )
    return RepeatComparison(first, second, test, validation)


def _difference(
    first: Accuracy | None, second: Accuracy | None, *, paired: bool
) -> Difference | None:
    """None unless both were judged, on equally many images."""
    if first is None or second is None or len({c.total for c in first.counts + second.counts}) > 1:
        return None
    if paired:
        total = first.counts[0].total
        told = [[count.successes for count in accuracy.counts] for accuracy in (first, second)]
        return paired_difference(*told, total=total)
    shares = [[count.share for count in accuracy.counts] for accuracy in (first, second)]
    return welch_difference(*shares)


def _sentence(part: str, difference: Difference, names: tuple[str, str]) -> str:
    """The outcome: who is better and by how much, or that no difference was found."""
    n = f"n = {difference.n[0]} pairs of one seed"
    if difference.test == "welch":
        n = f"n = {difference.n[0]} and {difference.n[1]}, not the same seeds"
    if difference.found:
        better, worse = names if difference.mean > 0 else names[::-1]
        sign = math.copysign(1, difference.mean)
        low, high = sorted((sign * difference.low, sign * difference.high))
        return (
            f"{better} is better than {worse} on the {part} part, by {_points(abs(difference.mean))} "
            f"(95 % CI {100 * low:.3f} to {100 * high:.3f}; {n}; p = {difference.p_value:.2g})."
        )
    reason = ""
    if difference.test == "paired" and difference.n[0] < FEWEST_PAIRS:
        reason = f" With fewer than {FEWEST_PAIRS} pairs none can be."
    elif math.isnan(difference.p_value):
        return f"No test on the {part} part ({n}): the runs do not vary, or there is only one."
    interval = ""
    if not math.isnan(difference.low):
        interval = f"; 95 % CI {100 * difference.low:.3f} to {100 * difference.high:.3f}"
    return (
        f"No difference found on the {part} part ({n}; {names[0]} minus {names[1]} "
        f"{_points(difference.mean)}{interval}; p = {difference.p_value:.2g}).{reason}{_needed(difference)}"
    )


def _needed(difference: Difference) -> str:
    """About how many seeds would show a difference of this size; nothing where that cannot be said."""
    if not difference.sd > 0:  # 0, or the NaN of a single value
        return ""
    seeds = seeds_needed(difference.mean, difference.sd, paired=difference.test == "paired")
    if seeds is None:
        return ""
    return f" One of this size would take about {seeds:,} seeds of each to be seen 8 times in 10."


def _points(share: float) -> str:
    """A difference of shares in percentage points."""
    return f"{100 * share:.3f} points"


def _cells(repeat: Repeat) -> dict[str, str]:
    """A repeat's column of the table."""
    plan = repeat.plan
    return {
        "recipe": f"{plan.name}, engine {plan.recipe.engine}, epochs {plan.recipe.epochs}",
        "precision": repeat.precision or "none yet",
        "seeds": f"{seeds_in_words(repeat.finished)} ({len(repeat.failed)} failed)",
        "validation": _mean(repeat.validation),
        "test": _mean(repeat.test),
        "training": _seconds(repeat.seconds["training"]),
        "whole run": _seconds(repeat.seconds["total"]),
    }


def _mean(accuracy: Accuracy | None) -> str:
    if accuracy is None:
        return "none"
    mean = accuracy.mean
    spread = "" if math.isnan(mean.sd) else f", sd {mean.sd:.3%}"
    return f"{mean.mean:.3%} (n = {mean.n}{spread})"


def _seconds(summary: Summary) -> str:
    return f"{summary.median:.1f} s (median)"
