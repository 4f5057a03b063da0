"""`tenfold predict`: which digit each picture shows."""

import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenfold.cli import console
from tenfold.cli.options import AsJson, Out, all_given, given
from tenfold.cli.sheets import FileSheet, Form, Sheet, form_of

if TYPE_CHECKING:
    from tenfold.predictions import Prediction, Unread

PRETRAINED = "pretrained"
"""What JSON calls the model in the box."""


Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="[MODEL] INPUT...",
        help="Picture files, folders of them, patterns such as '*.png', CSV, IDX or NPZ files, a kind:path "
        "(`tenfold data` lists the kinds), or - for standard input. A run folder, model folder or .onnx file "
        "in front is the model.",
        callback=all_given,
    ),
]
ModelBeside = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="MODEL",
        help="A run folder, a model folder or an .onnx file; left out, the model that tenfold brings along.",
        callback=given,
    ),
]
FormOfOutput = Annotated[
    Form | None,
    typer.Option("--format", "-f", help="Left out: a table, or what the ending of FILE says."),
]
Saw = Annotated[
    str | None,
    typer.Option(
        "--saw",
        metavar="FOLDER",
        help="Write what the model saw of each picture, 28x28, into this new folder.",
        callback=given,
    ),
]
RejectBelow = Annotated[
    float | None,
    typer.Option(
        "--reject-below",
        metavar="P",
        help='Below this confidence a picture is "not a digit"; 0 always tells one. Left out, as the model says.',
    ),
]


def predict(
    arguments: Inputs,
    model: ModelBeside = None,
    form: FormOfOutput = None,
    out: Out = None,
    saw: Saw = None,
    reject_below: RejectBelow = None,
    as_json: AsJson = False,
) -> None:
    """Tell the digit on each picture.

    A line a picture: source, row in it, digit, confidence. A picture of any size and colour is first made what
    MNIST would have made of it; rows of data sets are taken as they are.

    What cannot be read is named, the others are told all the same, and the exit code is 3. A FILE gets whole
    inputs only, JSON also the names of those that are not.

    Example: tenfold predict my-digit.jpg scans/ --out digits.csv
    """
    from tenfold.errors import UsageError
    from tenfold.files import check_free, check_target
    from tenfold.predictions import predict_each, split_model

    if as_json and out is None and form not in (None, "json"):
        raise UsageError(f"--format {form}: expected no --json beside it. Leave one out.")
    chosen, inputs = split_model(arguments, model)
    target = None if out is None else check_target(Path(out), inputs=_paths_in(inputs))
    if saw is not None:
        check_free(Path(saw))
        if target is not None and target.resolve() == Path(saw).resolve():
            raise UsageError(f"{saw}: --out names a file and --saw a folder. Give them two names.")
    counted = _Counted(None if saw is None else Path(saw))
    told = predict_each(inputs, model=chosen, reject_below=reject_below)
    with ExitStack() as stack:
        sheets: list[Sheet] = []
        if target is None or as_json:
            shown: Form = "json" if as_json else form or "table"
            sheets.append(Sheet(shown, console.show_part, model=chosen or PRETRAINED))
        if target is not None:
            form = form or form_of(target)
            sheets.append(FileSheet(form, target, stack, model=chosen or PRETRAINED))
        counted.tell_all(told, sheets)
    if target is not None and not as_json:
        console.show(str(target))
    counted.end()
    if chosen is not None:
        console.suggest(["tenfold", "evaluate", chosen])
    elif saw is None:
        # One is enough to see what is meant; a shell may have made thousands of a pattern.
        first = console.operand(inputs[0])
        # A page of several digits is what a beginner gives it; each picture is told as one.
        pages = (
            [["tenfold", "read", first]] if counted.no_digits and Path(inputs[0]).is_file() else []
        )
        console.suggest(["tenfold", "predict", first, "--saw", "saw"], *pages)


def _paths_in(inputs: Iterable[str]) -> Iterator[Path]:
    """The paths that inputs may name, behind a kind or without."""
    from tenfold.data.raw import user_path

    for name in inputs:
        yield from (user_path(name), user_path(name.partition(":")[2]))


class _Counted:
    """Predictions on their way to the sheets, counted; what the model saw goes into a folder, where one is named."""

    def __init__(self, folder: Path | None) -> None:
        self.rows = 0
        self.unread = 0
        self.no_digits = 0
        self.code = 0
        self._folder = folder

    def tell_all(self, told: "Iterable[Prediction | Unread]", sheets: list[Sheet]) -> None:
        """Pass on all there is; typer.Exit where no sheet has a row, so that no empty file is left."""
        for one in told:
            self._tell(one, sheets)
        for sheet in sheets:
            sheet.end()
        if not any(sheet.rows for sheet in sheets):
            raise typer.Exit(self.code)

    def end(self) -> None:
        """Say what is missing, where something is, and end with its exit code."""
        if self.unread:
            pictures = "picture" if self.rows == 1 else "pictures"
            console.say(
                f"{self.rows:,} {pictures} told; {self.unread:,} of the inputs could not be read, as said above."
            )
            raise typer.Exit(self.code)

    def _tell(self, one: "Prediction | Unread", sheets: list[Sheet]) -> None:
        from tenfold.predictions import Unread

        if isinstance(one, Unread):
            self.unread += 1
            self.code = self.code or one.error.exit_code
            console.fail(str(one.error))
            for sheet in sheets:
                sheet.leave_out(one)
            return
        names = [] if self._folder is None else self._written(one, self._folder)
        self.rows += len(one.probabilities)
        self.no_digits += len(one.probabilities) - int(one.is_digit.sum())
        for sheet in sheets:
            sheet.add(one, names)

    def _written(self, one: "Prediction", folder: Path) -> list[str]:
        """Write what the model saw -> the names of the files, which begin with the number of the row in all."""
        from tenfold.predictions import png_of

        folder.mkdir(parents=True, exist_ok=True)
        stem = re.sub(r"[^\w-]+", "_", Path(one.source).stem)[:60]
        names = [
            str(folder / f"{number:06}-{stem}.png")
            for number in range(self.rows + 1, self.rows + len(one.saw) + 1)
        ]
        for name, image in zip(names, one.saw, strict=True):
            Path(name).write_bytes(png_of(image))
        return names
