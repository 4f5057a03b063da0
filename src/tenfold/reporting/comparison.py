"""Two or more finished runs -> the table of what was measured of each, and a paired test between them.

Nothing in the table is typed: lines of code are counted in the installed source, times, accuracies and
counts are read from the runs. Knows nothing about where the table is printed.
"""

import html
import re
import statistics
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from tenfold.errors import UsageError, lookup
from tenfold.reporting.code_lines import package_lines
from tenfold.statistics import (
    SIGNIFICANT,
    McNemar,
    Proportion,
    Resampled,
    images_needed,
    mcnemar,
    paired_bootstrap,
)
from tenfold.training import Run

TEXT_WIDTH = 100
_RUNS_ABREAST = 3

_ABOUT_PAIRS = (
    "The paired test asks whether two trained networks differ on the same images. Another seed gives "
    "another network: to compare recipes, train each with several seeds."
)


class EngineNote(NamedTuple):
    """An engine in words: the room its code stands in, what one can change there, what one learns from it."""

    room: str
    control: str
    focus: str


ENGINES = {
    "numpy": EngineNote(
        room="scratch",
        control="every operation, forward and backward",
        focus="How a network computes and learns, one equation at a time.",
    ),
    "keras": EngineNote(
        room="keras_engine",
        control="what is asked of Keras; the arithmetic is the backend's",
        focus="How a framework turns the same description into fast training.",
    ),
}


@dataclass(frozen=True)
class Measured:
    """What was measured of one run.

    Attributes:
        name: the run's folder, printable.
        engine: "numpy" or "keras".
        backend: what computed.
        precision: what it multiplied.
        lines_of_code: lines of code of the engine, as installed.
        seconds_per_epoch: the median over the epochs.
        seconds_training: of all epochs together.
        epochs: those done.
        test: test images told correctly; None without a test part.
        validation: validation images told correctly; None where nothing was set aside.
        parameters: numbers in the network's arrays.
        data: what the data are called, and where they came from.
        seed: of the training.
        machine: processor and cores.
    """

    name: str
    engine: str
    backend: str
    precision: str
    lines_of_code: int
    seconds_per_epoch: float
    seconds_training: float
    epochs: int
    test: Proportion | None
    validation: Proportion | None
    parameters: int
    data: str
    seed: int
    machine: str

    def cells(self) -> dict[str, str]:
        """The run's column of the table: each row's label and what stands there."""
        note = ENGINES[self.engine]
        backend = "" if self.backend == self.engine else f", computed by {self.backend}"
        precision = "" if self.precision == "float32" else f" in {self.precision}"
        return {
            "engine": self.engine + backend + precision,
            "code control": f"{self.lines_of_code:,} lines of code: {note.control}",
            "training speed": (
                f"{self.seconds_per_epoch:,.2f} s an epoch (median); "
                f"{self.seconds_training:,.1f} s for {self.epochs:,} epochs"
            ),
            "test accuracy": str(self.test or "no test part"),
            "validation accuracy": str(self.validation or "nothing was set aside"),
            "parameters": f"{self.parameters:,}",
            "data": self.data,
            "seed": str(self.seed),
            "machine": self.machine,
            "learning focus": note.focus,
        }

    def json(self) -> dict[str, Any]:
        """Plain JSON values; an accuracy with its count and its 95 % interval."""
        proportions = {"test": _json(self.test), "validation": _json(self.validation)}
        return vars(self) | proportions | {"learning_focus": ENGINES[self.engine].focus}


@dataclass(frozen=True)
class Pair:
    """Two runs on the same test images.

    Attributes:
        first, second: what the runs are called.
        result: the paired test; None where it cannot be made.
        reason: why it cannot.
        difference: the first's accuracy minus the second's, with its interval over other images; None where
            both told the same images right, or there is only one.
        level: below which p-value a difference is called one: SIGNIFICANT, shared out among the tests that
            are made at once (Bonferroni). Seven at 0.01 each would find a difference where there is none
            one time in twenty.
    """

    first: str
    second: str
    result: McNemar | None
    reason: str = ""
    difference: Resampled | None = None
    level: float = SIGNIFICANT

    @property
    def images_needed(self) -> int | None:
        """How many test images it would take to see a difference of this size; None of no difference."""
        if self.result is None or self.difference is None:
            return None
        n = self.difference.n
        return images_needed(
            self.result.only_first / n, self.result.only_second / n, level=self.level
        )

    def __str__(self) -> str:
        """The outcome in sentences."""
        if self.result is None:
            return f"{self.first} and {self.second}: no paired test, because {self.reason}."
        only_first, only_second, p = self.result
        if p >= self.level:
            # The 95 % interval may leave 0 out, and still a difference is only called one below the level.
            asked = f", where less than {self.level:.2g} is asked for" if p < 0.05 else ""
            found = (
                f"No difference found: {self.first} alone told {only_first:,} images right, "
                f"{self.second} alone {only_second:,}; p = {p:.2g}{asked}."
            )
            return found + self._size() + self._needed()
        better, worse = self.first, self.second
        if only_second > only_first:
            better, worse = worse, better
        more, fewer = max(only_first, only_second), min(only_first, only_second)
        found = (
            f"{better} is better: it alone told {more:,} images right, {worse} alone {fewer:,}; "
            f"p = {p:.2g}."
        )
        return found + self._size()

    def json(self) -> dict[str, Any]:
        """Plain JSON values: both names, counts and p-value, difference, images needed, and the sentences."""
        return {
            "first": self.first,
            "second": self.second,
            "mcnemar": self.result and self.result._asdict(),
            "difference": self.difference and self.difference.json(),
            "images_needed": self.images_needed,
            "sentence": str(self),
        }

    def _size(self) -> str:
        if self.difference is None:
            return ""
        mean, low, high = (100 * share for share in self.difference[1:])
        return (
            f" {self.first} minus {self.second}: {mean:+.2f} points of accuracy "
            f"(95 % CI {low:+.2f} to {high:+.2f}, bootstrap over the images)."
        )

    def _needed(self) -> str:
        if self.images_needed is None:
            return ""
        about = float(
            f"{self.images_needed:.1e}"
        )  # two digits: the shares it is made of are no surer
        return f" A difference of this size would take about {about:,.0f} test images to be seen 8 times in 10."


@dataclass(frozen=True)
class Comparison:
    """What was measured of each run, and the paired test of the first with each other.

    Attributes:
        runs: in the order they were given.
        pairs: one for each run after the first.
    """

    runs: tuple[Measured, ...]
    pairs: tuple[Pair, ...]

    def text(self) -> str:
        """An aligned table in plain text, 100 columns wide; of more than three runs one table below the other."""
        rows = self.rows()
        tables = [
            _table([[row[0], *row[1:][start : start + _RUNS_ABREAST]] for row in rows])
            for start in range(0, len(self.runs), _RUNS_ABREAST)
        ]
        sentences = (
            textwrap.fill(sentence, TEXT_WIDTH, break_on_hyphens=False)
            for sentence in self.sentences()
        )
        return "\n\n".join([*tables, "\n".join(sentences)]) + "\n"

    def markdown(self) -> str:
        """The same as a table for GitHub, with every cell escaped."""
        rows = [[_escaped(cell) for cell in row] for row in self.rows()]
        rows.insert(1, ["---"] * len(rows[0]))
        table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
        return table + "".join(f"\n{_escaped(sentence)}\n" for sentence in self.sentences())

    def json(self) -> dict[str, Any]:
        """Plain JSON values: {"runs": [...], "pairs": [...]}."""
        return {
            "runs": [run.json() for run in self.runs],
            "pairs": [pair.json() for pair in self.pairs],
        }

    def rows(self) -> list[list[str]]:
        """The table with its head: a label, then a cell for each run."""
        columns = [{"": run.name} | run.cells() for run in self.runs]
        return [[label, *(column[label] for column in columns)] for label in columns[0]]

    def sentences(self) -> list[str]:
        """The outcome of each paired test, and what such a test asks."""
        first = self.runs[0].name
        tested = sum(pair.result is not None for pair in self.pairs)
        level = f", and a difference is called one below p = {SIGNIFICANT:g} / {tested}"
        which = (
            f"Each was tested against {first} alone{level if tested > 1 else ''}: name another run first to test "
            "against that. "
        )
        return [
            *(str(pair) for pair in self.pairs),
            (which if len(self.pairs) > 1 else "") + _ABOUT_PAIRS,
        ]


def compare(runs: Sequence[Run]) -> Comparison:
    """Read what was measured of two or more finished runs, and test the first against each other one.

    Raises:
        UsageError: fewer than two runs.
    """
    if len(runs) < 2:
        raise UsageError(
            f"compare: expected at least two runs, received {len(runs)}. Name the folder of another one."
        )
    names = [run.name for run in runs]
    if len(set(names)) < len(names):
        names = [str(run.folder) for run in runs]
    measured = tuple(
        _measured(run, _printable(name)) for run, name in zip(runs, names, strict=True)
    )
    pairs = [
        _paired(runs[0], runs[i], names=(measured[0].name, measured[i].name))
        for i in range(1, len(runs))
    ]
    level = SIGNIFICANT / max(1, sum(pair.result is not None for pair in pairs))
    return Comparison(measured, tuple(replace(pair, level=level) for pair in pairs))


def _measured(run: Run, name: str) -> Measured:
    record = run.record
    seconds = [result.seconds for result in run.history]
    data, machine = record["data"], record["machine"]
    room = lookup(ENGINES, record["engine"], "engine").room
    return Measured(
        name=name,
        engine=record["engine"],
        backend=_printable(record["backend"]),
        precision=_printable(run.precision),
        lines_of_code=package_lines(Path(__file__).parents[1] / room),
        seconds_per_epoch=statistics.median(seconds),
        seconds_training=record["seconds"]["training"],
        epochs=len(seconds),
        test=run.test,
        validation=run.validation,
        parameters=run.recipe.parameter_count,
        data=_printable(f"{data['name']} (training part {data['hash']['train'][:8]})"),
        seed=record["seed"],
        machine=_printable(
            f"{machine['processor']}, {machine['cores']} core{'' if machine['cores'] == 1 else 's'}"
        ),
    )


def _paired(first: Run, second: Run, *, names: tuple[str, str]) -> Pair:
    judged = first.test_judgement(), second.test_judgement()
    if judged[0] is None or judged[1] is None:
        without = names[0] if judged[0] is None else names[1]
        return Pair(*names, None, f"{without} was not judged on test images")
    if first.record["data"]["hash"]["test"] != second.record["data"]["hash"]["test"]:
        return Pair(*names, None, "they were not judged on the same test images")
    right = judged[0].right, judged[1].right
    result = mcnemar(*right)
    differ = result.only_first + result.only_second > 0 and len(right[0]) > 1
    return Pair(*names, result, difference=paired_bootstrap(*right) if differ else None)


def _json(proportion: Proportion | None) -> dict[str, Any] | None:
    if proportion is None:
        return None
    low, high = proportion.interval()
    return {"correct": proportion.successes, "total": proportion.total, "low": low, "high": high}


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Rows with their head, each a label and a cell for each run, aligned."""
    label_width = max(len(label) for label, *_ in rows)
    columns = len(rows[0]) - 1
    widths = [label_width] + [(TEXT_WIDTH - label_width) // columns - 2] * columns
    head, *lines = ["\n".join(_wrapped(row, widths)) for row in rows]
    return "\n".join([head, "  ".join("-" * width for width in widths), *lines])


def _wrapped(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """A row of cells as lines of text, each cell wrapped to its width."""
    cells = [
        textwrap.wrap(cell, width, break_on_hyphens=False)
        for cell, width in zip(row, widths, strict=True)
    ]
    height = max(len(cell) for cell in cells)
    padded = [
        [line.ljust(width) for line in cell + [""] * (height - len(cell))]
        for cell, width in zip(cells, widths, strict=True)
    ]
    return ["  ".join(line).rstrip() for line in zip(*padded, strict=True)]


def _escaped(cell: str) -> str:
    """A cell's text as Markdown that shows it: no markup, no HTML, no end of the cell."""
    return re.sub(r"([\\`*_\[\]|~])", r"\\\1", html.escape(cell, quote=False))


def _printable(words: str) -> str:
    """The words with what is not printable replaced: a name must not be able to steer a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in words)
