"""`tenfold predict`, `submit`, `ensemble` and `export`: trained models at work, here or elsewhere."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenfold.cli import console
from tenfold.cli.options import AsJson, Model, Out, all_given, given

if TYPE_CHECKING:
    from tenfold.verbs import Prediction

# A spreadsheet takes a cell that begins so for a formula.
# Source: OWASP, "CSV Injection", https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def predict(
    model: Model,
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Pictures: a file, a folder or a kind:path; `tenfold data` lists the kinds.",
            callback=all_given,
        ),
    ],
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Tell the digit on each picture.

    One line a picture: source, row, digit, confidence. With --out as a CSV file.

    Example: tenfold predict runs/my-run my-digit.png
    """
    from tenfold import verbs
    from tenfold.files import check_target

    target = None if out is None else check_target(Path(out))
    predictions = verbs.predict(model, inputs)
    if target is not None:
        _write_csv(target, predictions)
    if as_json:
        console.show_json({"model": model, "predictions": _predictions_json(predictions)})
    elif target is not None:
        console.show(str(target))
    else:
        lines = ("\t".join([console.cell(row[0]), *row[1:]]) for row in _rows(predictions))
        console.show("\n".join(lines))
    console.suggest(["tenfold", "evaluate", model])


def submit(
    model: Model,
    test_csv: Annotated[
        str, typer.Argument(metavar="TEST_CSV", help="Kaggle's test.csv.", callback=given)
    ],
    out: Out = None,
    allow_leak: Annotated[
        bool,
        typer.Option("--allow-leak", help="Write it even if its pictures were trained on."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a submission for Kaggle's Digit Recognizer.

    It is refused if the model was trained on pictures of the test, which are among MNIST's.

    Example: tenfold submit runs/my-run test.csv -o submission.csv
    """
    from tenfold import verbs

    written = verbs.submit(model, test_csv, out=out, allow_leak=allow_leak, say=console.say)
    if as_json:
        console.show_json({"model": model, "submission": str(written)})
    else:
        console.show(str(written))
    console.suggest(
        ["kaggle", "competitions", "submit", "digit-recognizer", "-f", str(written), "-m", model]
    )


def ensemble(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL...", help="Run folders or model folders.", callback=all_given
        ),
    ],
    out: Annotated[
        str,
        typer.Option(
            "--out", "-o", metavar="FOLDER", help="The model folder to write.", callback=given
        ),
    ],
    shifts: Annotated[
        int | None,
        typer.Option(
            metavar="PIXELS",
            help="Also take the mean over each picture moved so far, 0..4; left out, what the models do.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Join trained models into one that takes their mean.

    One model alone can be given test-time shifts, which make an answer cost five times as much.

    Example: tenfold ensemble runs/s0 runs/s1 runs/s2 -o models/three --shifts 1
    """
    from tenfold import exports

    written = exports.ensemble(models, out=out, shifts=shifts)
    if as_json:
        console.show_json({"models": models, "ensemble": str(written)})
    else:
        console.show(str(written))
    console.suggest(
        ["tenfold", "evaluate", str(written)],
        ["tenfold", "export", str(written), "--format", "onnx"],
    )


def export(
    model: Model,
    form: Annotated[
        str,
        typer.Option(
            "--format", "-f", metavar="FORMAT", help="onnx, keras or script.", callback=given
        ),
    ],
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Write a model for other programs.

    Nothing is written that does not agree with the model it came from.

    Example: tenfold export runs/my-run --format onnx --out digits.onnx
    """
    from tenfold import exports

    written = exports.export(model, form, out=out)
    if as_json:
        console.show_json({"model": model, "format": form, "file": str(written)})
    else:
        console.show(str(written))
    console.suggest(["tenfold", "show", model])


def _rows(predictions: "list[Prediction]") -> list[tuple[str, str, str, str]]:
    """Source, row in it, digit and confidence of every picture."""
    return [
        (prediction.source, str(row), str(digit), f"{prediction.probabilities[row, digit]:.4f}")
        for prediction in predictions
        for row, digit in enumerate(prediction.digits)
    ]


def _predictions_json(predictions: "list[Prediction]") -> list[dict[str, Any]]:
    return [
        {
            "source": prediction.source,
            "row": row,
            "digit": int(digit),
            "confidence": float(prediction.probabilities[row, digit]),
            "probabilities": prediction.probabilities[row].tolist(),
        }
        for prediction in predictions
        for row, digit in enumerate(prediction.digits)
    ]


def _write_csv(target: Path, predictions: "list[Prediction]") -> None:
    from tenfold.files import write_bytes

    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("source", "row", "digit", "confidence"))
    writer.writerows((_no_formula(source), *rest) for source, *rest in _rows(predictions))
    write_bytes(target, table.getvalue().encode(errors="backslashreplace"))


def _no_formula(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
