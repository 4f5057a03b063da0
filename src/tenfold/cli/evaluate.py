"""`tenfold evaluate`: how good a model is, and how well it knows."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenfold.cli import console
from tenfold.cli.options import AsJson, Data, Model
from tenfold.errors import GateError

if TYPE_CHECKING:
    from tenfold.digits import Digits
    from tenfold.evaluation import Judgement
    from tenfold.statistics import Calibration, Coverage, Proportion

MOST_PAIRS = 6
BY_LABELS = {"corrected": "by corrected labels", "cleaned": "without the doubtful"}


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

    In all, digit by digit, what it takes for what, whether its probabilities are true, and what is
    gained by leaving out the answers it is least sure of.

    Example: tenfold evaluate runs/my-run --data mnist --min-accuracy 0.98
    """
    from tenfold import verbs
    from tenfold.evaluation import cleaned, corrected

    digits = verbs.digits_for(model, data, say=console.say)
    judgement = verbs.evaluate(model, digits, say=console.say)
    by_labels = {
        "corrected": corrected(judgement, digits),
        "cleaned": cleaned(judgement, digits),
    }
    if as_json:
        console.show_json(_json(model, digits, judgement, by_labels))
    else:
        console.show(_text(digits, judgement, by_labels))
    if min_accuracy is not None and judgement.accuracy.share < min_accuracy:
        raise GateError(
            f"expected an accuracy of at least {min_accuracy:.2%}, received {judgement.accuracy}."
        )
    console.suggest(["tenfold", "predict", model, "PICTURE.png"])


def _text(
    digits: "Digits", judgement: "Judgement", by_labels: Mapping[str, "Proportion | None"]
) -> str:
    head = [
        ("data", f"{len(digits):,} images, {digits.source}"),
        ("accuracy", str(judgement.accuracy)),
        *((BY_LABELS[name], str(told)) for name, told in by_labels.items() if told),
        *_probabilities(judgement.calibration),
    ]
    by_digit = [(str(digit), str(told)) for digit, told in enumerate(judgement.per_class)]
    confusion = judgement.confusion.tolist()
    columns = [str(digit) for digit in range(len(confusion))]
    rows = [
        [str(label), *(f"{count:,}" if count else "." for count in row)]
        for label, row in enumerate(confusion)
    ]
    pairs = [
        f"{label} as {told} ({images:,})"
        for label, told, images in judgement.most_confused[:MOST_PAIRS]
    ]
    return "\n\n".join(
        [
            console.table(head),
            _kept(judgement.coverage),
            console.table([("digit", "told correctly"), *by_digit]),
            "what was told as what: a row for each label, a column for each digit told\n"
            f"most often wrong: {', '.join(pairs) or 'nothing'}",
            console.table([["", *columns], *rows], right=range(len(columns) + 1)),
        ]
    )


def _probabilities(found: "Calibration") -> list[tuple[str, str]]:
    """What the probabilities are worth, a line for each figure."""
    chance = found.chance
    verdict = f"the model is {found.fault}" if found.fault else "no more than chance makes"
    return [
        ("log loss", f"{found.log_loss:.4f} nats an image"),
        ("Brier score", f"{found.brier:.4f} of at most 2"),
        (
            "calibration error",
            f"{found.error:.2%}; by chance {chance.mean:.2%}, up to {chance.high:.2%}: {verdict}",
        ),
        (
            "best temperature",
            f"{found.temperature_in_words}, with a log loss of {found.log_loss_at_temperature:.4f}",
        ),
    ]


def _kept(found: "Coverage") -> str:
    """The errors that are left when the least confident answers are left out."""
    from tenfold.statistics import COVERAGES

    rows = [
        (f"{100 * kept.asked:g} %", f"{kept.threshold:.4f}", str(kept.errors))
        for kept in map(found.keeping, COVERAGES)
    ]
    area = f"area under the errors {found.area:.3%}, at best {found.best_area:.3%}"
    return console.table([("kept", "confidence from", "errors among them"), *rows]) + f"\n{area}"


def _json(
    model: str,
    digits: "Digits",
    judgement: "Judgement",
    by_labels: Mapping[str, "Proportion | None"],
) -> dict[str, Any]:
    return {
        "model": model,
        "data": {"source": digits.source, "hash": digits.hash},
        "accuracy": _proportion_json(judgement.accuracy),
        **{name: told and _proportion_json(told) for name, told in by_labels.items()},
        "log_loss": judgement.log_loss,
        "per_class": [_proportion_json(told) for told in judgement.per_class],
        "confusion": judgement.confusion.tolist(),
        "most_confused": [pair._asdict() for pair in judgement.most_confused],
        "calibration": judgement.calibration.json(),
        "coverage": judgement.coverage.json(),
    }


def _proportion_json(told: "Proportion") -> dict[str, int | float | None]:
    """Counts, and the 95 % interval, which nothing of nothing does not have."""
    low, high = told.interval() if told.total else (None, None)
    return {"correct": told.successes, "total": told.total, "low": low, "high": high}
