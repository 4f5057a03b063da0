"""The records of speed -> one table for a person: each claim a row, tenfold first, then what stands beside it.

A record that is not there yet leaves its rows out, and without any there is no text at all.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tenfold import Proportion

Record = Mapping[str, Any]


class Row(NamedTuple):
    """One row: a figure of one group of a record.

    Attributes:
        label: what a person calls it.
        record: the benchmark's name.
        group: the group of ways in it.
        figure: where the figure stands in what a way found.
        show: the figure -> its text.
        accuracy: whether what was learned in that time is shown beside it.
    """

    label: str
    record: str
    group: str
    figure: tuple[str, ...]
    show: Callable[[float], str]
    accuracy: bool = False


def digits(value: float) -> str:
    """The three leading digits of a number above 0, and no exponent."""
    return f"{value:,.{max(0, 2 - math.floor(math.log10(value)))}f}"


def seconds(value: float) -> str:
    """A number of seconds."""
    return f"{digits(value)} s"


def milliseconds(value: float) -> str:
    """A number of milliseconds."""
    return f"{digits(value)} ms"


def mebibytes(value: float) -> str:
    """A whole number."""
    return f"{value:,.0f} MiB"


def rate(value: float) -> str:
    """Pictures a second."""
    return f"{value:,.0f}/s"


TRAINING, FIRST = ("training_seconds",), ("training_seconds_with_compilation",)
PROCESS, PEAK, EPOCH = ("process_seconds",), ("peak_mib",), ("epoch_seconds",)

ROWS = (
    Row("training to 99 %, digits in memory", "time_to_99", "training", TRAINING, seconds, accuracy=True),
    Row("the same, with what happens only once", "time_to_99", "training", FIRST, seconds),
    Row("a whole training, command to report", "time_to_report", "whole process", PROCESS, seconds, accuracy=True),
    Row("training and telling 10,000, no convolutions", "classical", "fit and predict", ("seconds",), seconds,
        accuracy=True),
    Row("help, whole process", "start_up", "help", PROCESS, seconds),
    Row("one picture told, whole process", "start_up", "one picture", PROCESS, seconds),
    Row("one picture told, model open", "throughput", "answers", ("single_image_ms",), milliseconds),
    Row("pictures told, 256 at once", "throughput", "answers", ("images_per_second", "256"), rate),
    Row("memory, training", "memory", "training", PEAK, mebibytes),
    Row("memory, 10,000 pictures told", "memory", "10,000 pictures", PEAK, mebibytes),
    Row("an epoch, more images", "growth", "images", EPOCH, seconds),
    Row("an epoch, more cores", "growth", "cores", EPOCH, seconds),
)  # fmt: skip


def table(read: Callable[[str], Record | None]) -> str:
    """The section of README: a table and what it was measured on; `read` gives the record of a name."""
    records = {row.record: read(row.record) for row in ROWS}
    there = {name: record for name, record in records.items() if record is not None}
    if not there:
        return ""
    rows = [_line(row, there[row.record]) for row in ROWS if row.record in there]
    head = ["| | tenfold | beside it (how many times that) |", "|---|---|---|"]
    made_on: dict[str, list[str]] = {}
    for row in ROWS:
        if row.record in there:
            made_on.setdefault(_made_on(there[row.record]), []).append(row.label)
    if len(made_on) == 1:
        return "\n".join([*head, *rows, "", *made_on])
    # A blank line between them, so that each stands by itself.
    notes = "\n\n".join(f"{'; '.join(labels)}. {made}" for made, labels in made_on.items())
    return "\n".join([*head, *rows, "", notes])


def _line(row: Row, record: Record) -> str:
    (own, first), *others = record["groups"][row.group].items()
    beside = (
        f"{name}: {_shown(row, found)} ({digits(_at(found['times_first'], row.figure))})"
        for name, found in others
    )
    return f"| {row.label} | {own}: {_shown(row, first)} | {'; '.join(beside)} |"


def _shown(row: Row, found: Mapping[str, Any]) -> str:
    figure = _at(found, row.figure)
    text = row.show(figure["median"])
    return f"{text}, {_pooled(found['test'], rounds=figure['n'])}" if row.accuracy else text


def _pooled(test: Mapping[str, Any], *, rounds: int) -> str:
    """All rounds' answers together; a count that was the same in each of them stands once."""
    correct, total = test["correct"], test["total"]
    in_all = Proportion(
        sum(correct) if isinstance(correct, list) else correct * rounds, total * rounds
    )
    return f"{in_all.share:.2%} ({in_all.successes:,}/{in_all.total:,})"


def _at(found: Any, figure: tuple[str, ...]) -> Any:
    for key in figure:
        found = found[key]
    return found


def _made_on(record: Record) -> str:
    machine, versions = record["machine"], record["versions"] | record["peer_versions"]
    named = {"tensorflow-cpu": "TensorFlow", "tensorflow": "TensorFlow", "keras": "Keras", "torch": "PyTorch",
             "onnxruntime": "onnxruntime", "lightgbm": "LightGBM", "scikit-learn": "scikit-learn"}  # fmt: skip
    used = ", ".join(f"{name} {versions[key]}" for key, name in named.items() if key in versions)
    return (
        f"Medians; {machine['cores']} cores ({machine['processor']}), Python {versions['python']}, {used}; "
        f"`make bench`, {record['date']}."
    )
