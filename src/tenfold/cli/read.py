"""`tenfold read`: the lines of digits on photos and scans."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenfold.cli import console
from tenfold.cli.options import AsJson, all_given, given

if TYPE_CHECKING:
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
        bool, typer.Option("--reject", help="Write ? for what the model says is no digit.")
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

    Example: tenfold read page.jpg --overlay seen.png
    """
    from tenfold.errors import UsageError
    from tenfold.files import check_target
    from tenfold.modelfile import open_classifier, pretrained
    from tenfold.reading import read as read_photo

    if overlay is not None and len(photos) > 1:
        raise UsageError(f"--overlay: expected one photo, received {len(photos)}. Read it alone.")
    target = None if overlay is None else check_target(Path(overlay))
    classifier = pretrained() if model is None else open_classifier(Path(model))
    pages = []
    for photo in photos:
        page = read_photo(photo, model=classifier)
        pages.append(page)
        if not page.lines:
            console.say(
                f"{photo}: no digits were found. They should be darker or lighter than all of the paper."
            )
        if not as_json:
            _show(page, reject=reject, named=len(photos) > 1)
    if as_json:
        documents = [page.to_json(reject=reject) for page in pages]
        console.show_json(documents[0] if len(documents) == 1 else documents)
    if target is not None:
        _draw(target, pages[0])
        console.say(f"Drawn: {target}")
    elif len(photos) == 1:
        console.suggest(["tenfold", "read", photos[0], "--overlay", "seen.png"])


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
