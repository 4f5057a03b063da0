"""`tenfold submit`, `ensemble` and `export`: trained models at work, here or elsewhere."""

from typing import Annotated

import typer

from tenfold.cli import console
from tenfold.cli.options import AsJson, Model, Out, all_given, given


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
