"""`tenfold report`, `robustness` and `explain`: a run on a page, what a model can take, why it answers as it does."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenfold.cli import console
from tenfold.cli.options import AsJson, Data, all_given, given
from tenfold.errors import UsageError

if TYPE_CHECKING:
    from tenfold.digits import Images, Parts

Seed = Annotated[int, typer.Option(metavar="N", help="What chance does is a function of it.")]

BOX = "pretrained"
"""What JSON calls the model in the box."""


def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run folder.", callback=given)],
    data: Data = None,
    figures: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER", help="A new folder for the figures as PNG and SVG.", callback=given
        ),
    ] = None,
) -> None:
    """Write a run's report.html anew, and its figures as files.

    Every training writes the page; this one is for runs of an older version, and for figures to show elsewhere.

    Example: tenfold report runs/my-run --figures figures
    """
    from tenfold import insights

    parts = insights.parts_for(run, data, say=console.say)
    written = insights.report(run, parts, figures=figures, say=console.say)
    console.show(str(written.folder / "report.html"))
    if figures is not None:
        console.say(f"Written: {figures}, with the figures.")
    console.suggest(["tenfold", "explain", run, "--row", "0", "--out", "why"])


def robustness(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL]",
            help="A run folder, a model folder or an .onnx file; left out, the model that tenfold brings along.",
            callback=given,
        ),
    ] = None,
    data: Data = None,
    images: Annotated[
        int, typer.Option(metavar="N", help="At most so many pictures, taken by chance.")
    ] = 1000,
    attacked: Annotated[
        int, typer.Option(metavar="N", help="At most so many of these are attacked; 0 for none.")
    ] = 200,
    seed: Seed = 0,
    out: Annotated[
        str | None,
        typer.Option(
            "--out", "-o", metavar="FOLDER", callback=given,
            help="A new folder for robustness.json, its figure (PNG, SVG) and a picture of the corruptions.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Measure a model on corrupted, moved and attacked pictures.

    The fifteen corruptions of MNIST-C; curves of shift, rotation and scale; FGSM and PGD, which need a model
    that can be seen inside and take most of the time.

    Example: tenfold robustness runs/my-run --images 1000 --out runs/robustness
    """
    from tenfold import insights

    parts = insights.parts_for(model, data, say=console.say)
    found = insights.robustness(
        model,
        parts.test or parts.train,
        images=images,
        attacked=attacked,
        seed=seed,
        out=out,
        say=console.say,
    )
    if as_json:
        console.show_json({"model": model or BOX} | found.json())
    else:
        rows = [("pictures", found.source), ("", "told right"), *found.table()]
        console.show(console.table(rows))
    if out is not None:
        console.say(f"Written: {out}, with robustness.json and figures.")
    console.suggest(
        ["tenfold", "explain", *([model] if model else []), "--row", "0", "--out", "why"]
    )


def explain(
    out: Annotated[
        str,
        typer.Option(
            "--out", "-o", metavar="FOLDER", help="The new folder to write figures into.", callback=given
        ),
    ],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL] [PICTURE...]",
            help="A run folder, a model folder or an .onnx file, left out the model that tenfold brings along; "
            "then picture files, at most 20.",
            callback=lambda texts: all_given(texts or []),
        ),
    ] = None,
    data: Data = None,
    rows: Annotated[
        list[int] | None,
        typer.Option("--row", metavar="N", help="A picture of the test part of DATA, from 0; may be repeated."),
    ] = None,
    svg: Annotated[bool, typer.Option("--svg", help="Write each figure as .svg too.")] = False,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Explain what a model told, in figures and in words.

    Where blanking a patch costs the answer most, where ink moves it (gradient and SmoothGrad), which training
    pictures of DATA the model holds to be alike, what its first layer looks for, and a map of the test part.

    Example: tenfold explain runs/my-run --row 8 --row 247 --out why
    """
    from tenfold import insights

    model, pictures = _split(arguments or [], rows or [])
    parts = insights.parts_for(model, data, say=console.say)
    names, images, labels = _pictures(model, pictures, rows or [], parts)
    found = insights.explain(model, images, labels=labels, data=parts, out=out, svg=svg, seed=seed)
    files = [str(file) for file in found.files]
    if as_json:
        explained = [
            {"picture": name} | one.json()
            for name, one in zip(names, found.explanations, strict=True)
        ]
        console.show_json({"model": model or BOX, "explanations": explained, "files": files})
    else:
        for name, one in zip(names, found.explanations, strict=True):
            console.show("\n".join([name, *(f"  {line}" for line in one.sentences()), ""]))
        console.show("\n".join(files))
    console.suggest(["tenfold", "robustness", *([model] if model else [])])


def _split(arguments: list[str], rows: list[int]) -> tuple[str | None, list[str]]:
    """What stands on the command line -> (the model, None for the one in the box; picture files)."""
    from tenfold.predictions import split_model

    neither = UsageError(
        "explain: expected a PICTURE or --row N, received neither. Name a picture file, or a row of the data."
    )
    if not arguments and not rows:
        raise neither
    if rows and len(arguments) == 1:
        # One name beside --row is a picture where a picture stands there, otherwise the model.
        picture = Path(arguments[0]).is_file() and Path(arguments[0]).suffix != ".onnx"
        return (None, arguments) if picture else (arguments[0], [])
    if not arguments:
        return None, []
    try:
        return split_model(arguments, None)
    except UsageError:
        raise neither from None


def _pictures(
    model: str | None, files: list[str], rows: list[int], parts: "Parts"
) -> tuple[list[str], "Images", list[int | None]]:
    """Names, pictures uint8 (n, 28, 28) and labels of the files, then of the rows."""
    import numpy as np

    from tenfold.predictions import predict

    names: list[str] = []
    images: list[Images] = []
    labels: list[int | None] = []
    for told in predict(files, model=model) if files else []:
        names += [told.source] * len(told.saw)
        images.append(told.saw)
        labels += [None] * len(told.saw)
    digits = parts.test or parts.train
    for row in rows:
        if not 0 <= row < len(digits):
            raise UsageError(
                f"--row {row}: expected a row of {digits.source}, 0 to {len(digits) - 1:,}. Name another one."
            )
        names.append(f"row {row:,} of {digits.source}")
        images.append(digits.images[row : row + 1])
        labels.append(int(digits.known_labels[row]))
    return names, np.concatenate(images), labels
