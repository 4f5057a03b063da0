"""The arguments that several commands share, each written down once."""

from typing import Annotated

import typer


def given(text: str | None) -> str | None:
    """A text that is not empty; an empty one is most often a shell variable that was never set."""
    if text is not None and not text.strip():
        raise typer.BadParameter("expected a name or a path, received an empty text.")
    return text


def all_given(texts: list[str]) -> list[str]:
    """Texts of which none is empty."""
    for text in texts:
        given(text)
    return texts


Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", help="A run folder, a model folder or an .onnx file.", callback=given
    ),
]
Data = Annotated[
    str | None,
    typer.Option(
        metavar="DATA", help="A name or kind:path; `tenfold data` lists them.", callback=given
    ),
]
Out = Annotated[
    str | None,
    typer.Option("--out", "-o", metavar="FILE", help="The file to write.", callback=given),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]
