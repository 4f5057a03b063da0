"""Several finished runs side by side -> one page that needs no network, script or font."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tenfold.digits import CLASSES, Digits, Parts
from tenfold.evaluation import Judgement
from tenfold.reporting.chart import Chart, chart
from tenfold.reporting.closer import (
    CloserLook,
    closer_look,
    curves,
    errors_among_the_surest,
)
from tenfold.reporting.comparison import compare
from tenfold.reporting.findings import MOST_MISTAKES, confusion_cells
from tenfold.reporting.inline import picture_uri
from tenfold.reporting.pages import page
from tenfold.reporting.report import settings
from tenfold.training import EpochResult, Run

# More lines than this cannot be told apart; the tables hold all runs.
MOST_DRAWN = 4
# Of so many test pictures every run's answer is explained.
EXPLAINED = 2


class Disputed(NamedTuple):
    """A test image that not all runs told rightly, nor all wrongly; `picture` is a data URI, "" without the digits."""

    row: int
    label: int
    picture: str
    answers: tuple[tuple[str, int, float], ...]
    """Each run's name, what it told, and its confidence."""


def comparison_page(runs: Sequence[Run], parts: Parts | None = None) -> str:
    """Two or more finished runs -> the page as text.

    Args:
        runs: in the order in which they are to stand.
        parts: the digits that the first was trained and tested on; None leaves out what every model must be asked for.
            Runs on other digits stand in the tables only.

    Raises:
        UsageError: fewer than two runs.
    """
    comparison = compare(runs)
    names = [one.name for one in comparison.runs]
    judged = {n: j for n, run in zip(names, runs, strict=True) if (j := run.test_judgement())}
    disputed = _disputed(judged, _test_of(runs, parts))
    looks = _looks(dict(zip(names, runs, strict=True)), parts, [d.row for d in disputed])
    drawn = dict(list(looks.items())[:MOST_DRAWN])
    rows = comparison.rows()[1:] + _provenance(runs)
    # An accuracy always stands in the column of its run.
    differing = [row for row in rows if len(set(row[1:])) > 1 or row[0].endswith("accuracy")]
    values = {
        "title": f"{', '.join(names[:-1])} and {names[-1]}",
        "names": names,
        "differing": differing,
        "same": [row[:2] for row in rows if row not in differing],
        "sentences": comparison.sentences(),
        "charts": _learning(runs[:MOST_DRAWN], names),
        "drawn": min(len(runs), MOST_DRAWN),
        "recalls": _recalls(runs),
        "confusions": {n: confusion_cells(j) for n, j in judged.items()},
        "disputed": disputed[:MOST_MISTAKES],
        "disputes": len(disputed),
        "looks": looks,
        "sure": _how_sure(looks),
        "surest": errors_among_the_surest({n: one.judged for n, one in drawn.items()})
        if drawn
        else None,
        "changed": _changed(looks),
        "curves": curves({n: one.robustness for n, one in drawn.items()}) if drawn else (),
    }
    return page("comparison.html.jinja", values)


def _provenance(runs: Sequence[Run]) -> list[list[str]]:
    """Rows of the table: how each was trained, with what."""
    columns = [
        {
            "recipe": run.record["recipe"]["name"],
            "optimizer": f"{type(run.recipe.optimizer).__name__}: {settings(run.recipe.optimizer)}",
            "batch size": f"{run.recipe.batch_size:,}",
            "started": run.record["started"][:16].replace("T", " "),
            "versions": ", ".join(f"{n} {v}" for n, v in run.record["versions"].items()),
        }
        for run in runs
    ]
    return _by_label(columns)


def _test_of(runs: Sequence[Run], parts: Parts | None) -> Digits | None:
    """The test part, where it is what all runs were judged on."""
    if parts is None or parts.test is None:
        return None
    hashes = {run.record["data"]["hash"]["test"] for run in runs}
    return parts.test if hashes == {parts.test.hash} else None


def _disputed(judged: dict[str, Judgement], test: Digits | None) -> list[Disputed]:
    """Where runs differ in what they told rightly: that of which one of them was most surely wrong first."""
    if len(judged) < 2 or len({j.labels.tobytes() for j in judged.values()}) > 1:
        return []
    right = np.stack([one.right for one in judged.values()])
    confidences = np.stack([one.confidences for one in judged.values()])
    rows = np.flatnonzero(right.any(axis=0) & ~right.all(axis=0))
    surest = np.where(right, 0, confidences).max(axis=0)[rows]
    labels = next(iter(judged.values())).labels
    return [
        Disputed(
            int(row),
            int(labels[row]),
            "" if test is None else picture_uri(test.images[row]),
            tuple(
                (name, int(one.predicted_labels[row]), float(one.confidences[row]))
                for name, one in judged.items()
            ),
        )
        for row in rows[np.argsort(-surest, kind="stable")]
    ]


def _looks(
    runs: dict[str, Run], parts: Parts | None, disputed: Sequence[int]
) -> dict[str, CloserLook]:
    """A closer look at each run that was made from these digits; all are shown the same pictures."""
    if parts is None or parts.test is None:
        return {}
    hashes = {"train": parts.train.hash, "test": parts.test.hash}
    rows = disputed[:EXPLAINED]
    looks = {
        name: closer_look(run, parts, seed=0, rows=rows)
        for name, run in runs.items()
        if run.record["data"]["hash"] == hashes
    }
    return {name: look for name, look in looks.items() if look is not None}


def _learning(runs: Sequence[Run], names: list[str]) -> list[Chart]:
    """Training loss and, where every run has one, validation accuracy, of each run to its own end."""
    epochs = max(len(run.history) for run in runs)
    asked: list[tuple[str, Callable[[EpochResult], float | None], str]] = [
        ("Training loss (nats an image)", lambda e: e.loss, "{:.3g}"),
        ("Validation accuracy", lambda e: _hundredfold(e.validation_accuracy), "{:.4g}%"),
    ]
    charts = []
    for title, value, form in asked:
        lines = {
            name: [value(epoch) for epoch in run.history]
            for name, run in zip(names, runs, strict=False)
        }
        known = {n: [v for v in line if v is not None] for n, line in lines.items()}
        if all(len(known[name]) == len(line) for name, line in lines.items()):
            charts.append(chart(title, range(1, epochs + 1), series=known, text=form.format))
    return charts


def _hundredfold(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _recalls(runs: Sequence[Run]) -> list[list[Any]]:
    """For each digit, what each run told of it: a Proportion, or None where it was not judged."""
    judged = [run.test_judgement() for run in runs]
    if not any(judged):
        return []
    tables = [one.per_class if one else (None,) * CLASSES for one in judged]
    return [[table[digit] for table in tables] for digit in range(CLASSES)]


def _how_sure(looks: dict[str, CloserLook]) -> list[list[str]]:
    """Rows of a table: what each run's confidences are worth, and how many errors are among the surest answers."""
    if not looks:
        return []
    columns = []
    for look in looks.values():
        one = look.judged.calibration
        column = {
            "log loss (nats an image)": f"{one.log_loss:.4f}",
            "Brier score": f"{one.brier:.4f}",
            "calibration error (points)": f"{100 * one.error:.2f}",
            "at most so much by chance": f"{100 * one.chance.high:.2f}",
            "best temperature": one.temperature_in_words,
        }
        for kept in look.kept:
            column[f"wrong among the surest {100 * kept.asked:.4g}%"] = (
                f"{kept.errors.successes:,} of {kept.errors.total:,}"
            )
        columns.append(column)
    return _by_label(columns)


def _changed(looks: dict[str, CloserLook]) -> list[list[str]]:
    """Rows of a table: what is left of each run's accuracy under every corruption."""
    if not looks:
        return []
    columns = []
    for look in looks.values():
        found = look.robustness
        column = {"as they are": _told(found.clean.share)}
        column |= {name: _told(told.share) for name, told in found.corruptions}
        column["all fifteen, on average"] = _told(1 - found.corruption_error.mean)
        columns.append(column)
    return _by_label(columns)


def _by_label(columns: list[dict[str, str]]) -> list[list[str]]:
    """A column for each run, by label -> rows: a label, then a cell for each run."""
    return [[label, *(column[label] for column in columns)] for label in columns[0]]


def _told(share: float) -> str:
    return f"{100 * share:.1f}%"
