"""One finished run -> report.html in its folder: a single page that needs no network, script or font.

Here the values are laid ready; `report.html.jinja` says how they look and puts each term in plain words
where it first appears. The page is a function of the run and its digits, so equal input gives equal
bytes.
"""

import dataclasses
import shlex
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from tenfold.data.mnist import TEST_HASH, TRAIN_HASH
from tenfold.digits import CLASSES, Parts
from tenfold.errors import DataError
from tenfold.network import Step
from tenfold.reporting.chart import Chart, chart
from tenfold.reporting.closer import closer_look, judged_part
from tenfold.reporting.findings import (
    MOST_PAIRS,
    advice,
    confusion_cells,
    reproduction,
    worst_mistakes,
)
from tenfold.reporting.pages import page
from tenfold.training import EpochResult, Run

REPORT = "report.html"

# More points than this cannot be told apart on a page, and a long training must not make it large.
MOST_EPOCHS = 200


class LayerRow(NamedTuple):
    """A layer as the table shows it; `depth` counts the Residuals around it."""

    depth: int
    kind: str
    settings: str
    shape: str
    parameters: int


def write_report(run: Run, parts: Parts | None = None) -> Run:
    """Write report.html into the run's folder -> the run with the page's seal on record.

    Args:
        run: a finished one.
        parts: the digits it was made from, for pictures of its mistakes and all that its model must be asked
            for; None leaves these out.

    Raises:
        DataError: the digits are not those of the run.
    """
    return run.add(REPORT, render(run, parts).encode())


def render(run: Run, parts: Parts | None) -> str:
    """The page as text; as for `write_report`."""
    test = None if parts is None else parts.test
    if test is not None and test.hash != run.record["data"]["hash"]["test"]:
        raise DataError(
            f"report: expected the images that {run.name} was tested on, received others "
            f"({test.source}). Give the test part of {run.record['data']['name']!r}, or none."
        )
    return page("report.html.jinja", _values(run, parts), settings=settings)


def settings(value: object) -> str:
    """A layer, optimizer or schedule -> its fields in words, "filters 16, kernel 3, bias no"."""
    fields = [f.name for f in dataclasses.fields(value) if f.name != "layers"]  # type: ignore[arg-type]  # all are dataclasses
    return ", ".join(f"{name.replace('_', ' ')} {_word(getattr(value, name))}" for name in fields)


def _values(run: Run, parts: Parts | None) -> dict[str, Any]:
    """All that the template names."""
    digits = None if parts is None else judged_part(run, parts)
    closer = None if parts is None else closer_look(run, parts)
    # What it was asked again has all probabilities; the record keeps those of the answers.
    judged = closer.judged if closer else run.test_judgement()
    classes = {d: p for d, p in enumerate(judged.per_class) if p.total} if judged else {}
    shown = _thinned(run.history)
    return {
        "run": run,
        "record": run.record,
        "recipe": run.recipe,
        "is_mnist": run.record["data"]["hash"] == {"train": TRAIN_HASH, "test": TEST_HASH},
        "layers": list(_layer_rows(run.recipe.network.plan)),
        "epochs": shown,
        "charts": _charts(shown),
        "judged": judged,
        "part": "test" if run.test else "validation",
        "classes": classes,
        "missing": ", ".join(str(d) for d in range(CLASSES) if d not in classes),
        "lowest": min((p.interval()[0] for p in classes.values()), default=0.0),
        "confusion": judged and confusion_cells(judged),
        "confused": judged and judged.most_confused[:MOST_PAIRS],
        "mistakes": judged and worst_mistakes(judged, digits),
        "closer": closer,
        "command": reproduction(run),
        "name": shlex.quote(run.name),
        "advice": advice(run, judged),
    }


def _thinned(history: tuple[EpochResult, ...]) -> list[EpochResult]:
    """At most MOST_EPOCHS of the epochs, evenly spread, the first and the last among them."""
    rows = np.linspace(0, len(history) - 1, min(len(history), MOST_EPOCHS)).round().astype(int)
    return [history[row] for row in rows]


def _charts(epochs: list[EpochResult]) -> list[Chart]:
    """Loss and accuracy over the epochs."""
    numbers = [result.epoch for result in epochs]
    losses = {"training": [r.loss for r in epochs]}
    accuracies = {"training": [100 * r.accuracy for r in epochs]}
    validated = [r for r in epochs if r.validation_loss is not None]
    if len(validated) == len(epochs):
        losses["validation"] = [r.validation_loss or 0.0 for r in validated]
        accuracies["validation"] = [100 * (r.validation_accuracy or 0.0) for r in validated]
    return [
        chart(
            "Loss (nats an image)",
            numbers,
            series=losses,
            text=lambda loss: f"{loss:.3g}",
            floor=0.0,
        ),
        chart("Accuracy", numbers, series=accuracies, text=lambda per_cent: f"{per_cent:.4g}%"),
    ]


def _layer_rows(steps: Iterable[Step], depth: int = 0) -> Iterator[LayerRow]:
    for step in steps:
        yield LayerRow(
            depth=depth,
            kind=type(step.layer).__name__,
            settings=settings(step.layer),
            shape=" × ".join(str(side) for side in step.output_shape),
            parameters=sum(p.size for p in step.parameters),
        )
        yield from _layer_rows(step.inside, depth + 1)


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
