"""`tenfold read`: the lines of digits on photos and scans."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenfold.cli import console
from tenfold.cli.options import AsJson, all_given, given
from tenfold.errors import DataError

if TYPE_CHECKING:
    from tenfold.digits import Classifier
    from tenfold.reading import Page


def read(
    photos: Annotated[
        list[str],
        typer.Argument(metavar="PHOTO...", help="Picture files.", callback=all_given),
    ],
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="A run folder, a model folder or an .onnx file; left out, the model that tenfold brings.",
            callback=given,
        ),
    ] = None,
    reject: Annotated[
        bool,
        typer.Option("--reject", help="Write ? for what is no digit, and null in JSON."),
    ] = False,
    overlay: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.png",
            help="Draw what was found, and what the model saw of it; of one photo.",
            callback=given,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read the lines of digits on photos or scans.

    A line of text for each, from the top. Rulings, boxes, points and dashes are left out.

    Of several photos, one that cannot be read is named, the others are read all the same, and the exit code is 3.

    Example: tenfold read page.jpg --overlay seen.png
    """
    from tenfold.modelfile import open_classifier, pretrained

    target = None if overlay is None else _target_of(overlay, photos)
    classifier = pretrained() if model is None else open_classifier(Path(model))
    documents: list[dict[str, Any]] = []
    unread: list[DataError] = []
    for photo in photos:
        page = _page_or_fault(photo, classifier)
        if isinstance(page, DataError):
            unread.append(page)
            console.fail(str(page))
            documents.append({"photo": photo, "error": str(page)})
            continue
        documents.append(page.to_json(reject=reject))
        if not as_json:
            _show(page, reject=reject, named=len(photos) > 1)
        if target is not None:
            _draw(target, page)
            console.say(f"Drawn: {target}")
    if as_json:
        console.show_json(documents[0] if len(photos) == 1 else documents)
    if unread:
        raise typer.Exit(unread[0].exit_code)
    if len(photos) == 1 and target is None:
        console.suggest(["tenfold", "read", console.operand(photos[0]), "--overlay", "seen.png"])


def _target_of(overlay: str, photos: list[str]) -> Path:
    """Where the drawing goes; UsageError where it would not be a PNG of one photo in a file of its own."""
    from tenfold.data.raw import user_path
    from tenfold.errors import UsageError
    from tenfold.files import check_target

    if len(photos) > 1:
        raise UsageError(f"--overlay: expected one photo, received {len(photos)}. Read it alone.")
    target = check_target(Path(overlay), inputs=[user_path(photos[0])])
    if target.suffix.lower() != ".png":
        raise UsageError(
            f"--overlay {overlay}: expected a name that ends in .png, as the drawing is one."
        )
    return target


def _page_or_fault(photo: str, classifier: "Classifier") -> "Page | DataError":
    from tenfold.reading import read as read_photo

    if photo == "-":
        return DataError(
            "-: expected a picture file, received standard input. Save the photo, and name it."
        )
    try:
        page = read_photo(photo, model=classifier)
    except DataError as error:
        return error
    if not page.lines:
        console.say(
            f"{photo}: no digits were found. They should be darker or lighter than all of the paper."
        )
    return page


def _show(page: "Page", *, reject: bool, named: bool) -> None:
    """The lines; in front of each its photo, where there are several."""
    for line in page.lines:
        text = line.sure_text if reject else line.text
        console.show(f"{console.cell(page.photo or '')}\t{text}" if named else text)


def _draw(target: Path, page: "Page") -> None:
    from io import BytesIO

    from PIL import Image

    from tenfold.files import write_bytes
    from tenfold.reading import overlay
    from tenfold.reading.reader import open_photo

    content = BytesIO()
    Image.fromarray(overlay(open_photo(page.photo or ""), page)).save(content, "PNG")
    write_bytes(target, content.getvalue())
