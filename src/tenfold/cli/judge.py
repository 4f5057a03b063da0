"""`tenfold evaluate` and `tenfold compare`: how good a model is, and which of several runs is better."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenfold.cli import console
from tenfold.cli.options import AsJson, Data, Model, all_given
from tenfold.errors import GateError, UsageError

if TYPE_CHECKING:
    from tenfold.digits import Digits
    from tenfold.evaluation import Judgement
    from tenfold.statistics import Proportion


def _share(value: float | None) -> float | None:
    # Written so that NaN, which compares as False with everything, is refused too.
    if value is not None and not 0 <= value <= 1:
        raise typer.BadParameter(f"expected a share from 0 to 1, such as 0.98, received {value:g}.")
    return value


def evaluate(
    model: Model,
    data: Data = None,
    min_accuracy: Annotated[
        float | None,
        typer.Option(
            metavar="P", help="End with exit code 6 below this share, 0..1.", callback=_share
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Judge a model on labelled digits.

    In all, digit by digit, and what it takes for what.

    Example: tenfold evaluate runs/my-run --data mnist --min-accuracy 0.98
    """
    from tenfold import verbs
    from tenfold.evaluation import corrected

    digits = verbs.digits_for(model, data, say=console.say)
    judgement = verbs.evaluate(model, digits, say=console.say)
    by_corrected_labels = corrected(judgement, digits)
    if as_json:
        console.show_json(_judgement_json(model, digits, judgement, by_corrected_labels))
    else:
        console.show(_judgement_text(digits, judgement, by_corrected_labels))
    if min_accuracy is not None and judgement.accuracy.share < min_accuracy:
        raise GateError(
            f"expected an accuracy of at least {min_accuracy:.2%}, received {judgement.accuracy}."
        )
    console.suggest(["tenfold", "predict", model, "PICTURE.png"])


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN RUN...",
            help="Run folders, or two folders of `tenfold repeat`.",
            callback=all_given,
        ),
    ],
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the table for a GitHub page.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put runs side by side and test whether they differ.

    Of two runs, a paired test on the same test images. Of two folders of `tenfold repeat`, a test over
    seeds, which is one of their recipes.

    Example: tenfold compare runs/numpy runs/keras --markdown
    """
    from tenfold.scaling import is_repeat

    _check_different(runs)
    if any(is_repeat(Path(run)) for run in runs):
        _compare_repeats(runs, markdown=markdown, as_json=as_json)
        return
    if markdown and as_json:
        raise UsageError("compare: expected --markdown or --json, received both. Leave one out.")
    from tenfold.reporting import compare as compare_runs
    from tenfold.training import open_run

    comparison = compare_runs([open_run(Path(run)) for run in runs])
    if as_json:
        console.show_json(comparison.json())
    else:
        console.show((comparison.markdown() if markdown else comparison.text()).rstrip())
    console.suggest(["tenfold", "evaluate", runs[0]])


def _compare_repeats(folders: list[str], *, markdown: bool, as_json: bool) -> None:
    from tenfold.scaling import compare_repeats, open_repeat

    if len(folders) != 2 or markdown:
        raise UsageError(
            "compare: of repeats, expected the folders of two, without --markdown. Compare them two by two."
        )
    comparison = compare_repeats(*(open_repeat(folder) for folder in folders))
    if as_json:
        console.show_json(comparison.json())
    else:
        console.show(console.table(comparison.rows()) + "\n\n" + str(comparison))
    console.suggest(["tenfold", "evaluate", str(comparison.first.runs[0].folder)])


def _check_different(runs: list[str]) -> None:
    if len(runs) < 2:
        raise UsageError(
            f"compare: expected at least two run folders, received {len(runs)}. Name another one."
        )
    places = [Path(run).resolve() for run in runs]
    for number, place in enumerate(places):
        if place in places[:number]:
            raise UsageError(
                f"compare: expected different runs, received {runs[number]} twice. Name another one."
            )


def _judgement_text(
    digits: "Digits", judgement: "Judgement", by_corrected_labels: "Proportion | None"
) -> str:
    corrected = [("by corrected labels", str(by_corrected_labels))] if by_corrected_labels else []
    head = console.table(
        [
            ("data", f"{len(digits):,} images, {digits.source}"),
            ("accuracy", str(judgement.accuracy)),
            *corrected,
            ("log loss", f"{judgement.log_loss:.4f} nats an image"),
        ]
    )
    by_digit = [(str(digit), str(told)) for digit, told in enumerate(judgement.per_class)]
    confusion = judgement.confusion.tolist()
    columns = [str(digit) for digit in range(len(confusion))]
    rows = [
        [str(label), *(f"{count:,}" if count else "." for count in row)]
        for label, row in enumerate(confusion)
    ]
    return "\n\n".join(
        [
            head,
            console.table([("digit", "told correctly"), *by_digit]),
            "what was told as what: a row for each label, a column for each digit told",
            console.table([["", *columns], *rows], right=range(len(columns) + 1)),
        ]
    )


def _judgement_json(
    model: str,
    digits: "Digits",
    judgement: "Judgement",
    by_corrected_labels: "Proportion | None",
) -> dict[str, Any]:
    return {
        "model": model,
        "data": {"source": digits.source, "hash": digits.hash},
        "accuracy": _proportion_json(judgement.accuracy),
        "corrected": by_corrected_labels and _proportion_json(by_corrected_labels),
        "log_loss": judgement.log_loss,
        "per_class": [_proportion_json(told) for told in judgement.per_class],
        "confusion": judgement.confusion.tolist(),
    }


def _proportion_json(told: "Proportion") -> dict[str, int | float | None]:
    """Counts, and the 95 % interval, which nothing of nothing does not have."""
    low, high = told.interval() if told.total else (None, None)
    return {"correct": told.successes, "total": told.total, "low": low, "high": high}
