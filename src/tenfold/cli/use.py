"""`tenfold submit`, `ensemble` and `export`: trained models at work, here or elsewhere."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from tenfold.cli import console
from tenfold.cli.options import AsJson, Model, Out, all_given, given

if TYPE_CHECKING:
    from tenfold.exports import Measured


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
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL]",
            help="A run folder or a model folder; left out, the model that tenfold brings along.",
            callback=given,
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="onnx, onnx-int8, litert, keras, npz, web (a page that needs no server) or script.",
            callback=given,
        ),
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out", "-o", metavar="PATH", help="The file or folder to write.", callback=given
        ),
    ] = None,
    benchmark: Annotated[
        bool,
        typer.Option("--benchmark", help="Print size, speed and accuracy of each form instead."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a model for other programs.

    Nothing is written that does not agree with the model it came from.

    Example: tenfold export runs/my-run --format onnx --out digits.onnx
    """
    from tenfold import exports
    from tenfold.errors import UsageError

    if benchmark:
        if form is not None or out is not None:
            raise UsageError(
                "--benchmark: expected no --format and no --out beside it, since nothing is written."
            )
        _show_measured(model, as_json=as_json)
        return
    if form is None:
        raise UsageError(
            f"export: expected --format with one of {', '.join(exports.FORMS)}, received none."
        )
    written = exports.export(model, form, out=out, say=console.say)
    if as_json:
        console.show_json({"model": model, "format": form, "file": str(written)})
    else:
        console.show(str(written))
    if model is not None:
        console.suggest(["tenfold", "show", model])


def _show_measured(model: str | None, *, as_json: bool) -> None:
    from tenfold import exports

    measured = list(exports.measure(model, say=console.say))
    if as_json:
        rows = [asdict(row) | {"accuracy": _counted(row)} for row in measured]
        console.show_json({"model": model, "forms": rows})
        return
    table = [("form", "bytes", "one picture", "pictures/s", "accuracy")]
    for row in measured:
        if row.seconds_for_one is None or row.pictures_per_second is None:
            table.append((row.form, f"{row.bytes:,}" if row.bytes else "", "", "", row.missing))
        else:
            speed = f"{row.seconds_for_one * 1000:.2f} ms", f"{row.pictures_per_second:,.0f}"
            table.append((row.form, f"{row.bytes:,}", *speed, str(row.accuracy)))
    console.show(console.table(table, right=(1, 2, 3)))


def _counted(row: "Measured") -> dict[str, int] | None:
    if row.accuracy is None:
        return None
    return {"correct": row.accuracy.successes, "total": row.accuracy.total}
