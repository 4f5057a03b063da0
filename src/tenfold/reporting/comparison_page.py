"""Several finished runs side by side -> one page that needs no network, script or font."""

from collections.abc import Callable, Sequence
from typing import Any

from tenfold.digits import CLASSES
from tenfold.reporting.chart import Chart, chart
from tenfold.reporting.comparison import compare
from tenfold.reporting.pages import page
from tenfold.training import EpochResult, Run

# More lines than this cannot be told apart; the tables hold all runs.
MOST_DRAWN = 4


def comparison_page(runs: Sequence[Run]) -> str:
    """Two or more finished runs -> the page as text: what was measured, how they learned, digit by digit.

    Raises:
        UsageError: fewer than two runs.
    """
    comparison = compare(runs)
    names = [one.name for one in comparison.runs]
    values = {
        "names": names,
        "head": comparison.rows()[0][1:],
        "rows": comparison.rows()[1:],
        "sentences": comparison.sentences(),
        "charts": _curves(runs[:MOST_DRAWN], names),
        "drawn": min(len(runs), MOST_DRAWN),
        "recalls": _recalls(runs),
    }
    return page("comparison.html.jinja", values)


def _curves(runs: Sequence[Run], names: list[str]) -> list[Chart]:
    """Training loss and, where every run has one, validation accuracy, of each run to its own end."""
    epochs = max(len(run.history) for run in runs)
    asked: list[tuple[str, Callable[[EpochResult], float | None], str]] = [
        ("Training loss", lambda e: e.loss, "{:.3g}"),
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
