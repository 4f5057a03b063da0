"""The arguments that several commands share, each written down once."""

from typing import Annotated, Literal

import typer

from tenfold.errors import UsageError


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
Epochs = Annotated[
    int | None, typer.Option(metavar="N", help="Instead of the recipe's number of epochs.")
]
Engine = Annotated[
    Literal["numpy", "keras"] | None, typer.Option(help="Instead of the recipe's engine.")
]
Backend = Annotated[
    Literal["tensorflow", "jax", "torch"] | None, typer.Option(help="What computes for Keras.")
]


def use(backend: str, engine: str) -> None:
    """Let Keras compute with `backend`, here and in processes started from here."""
    if engine != "keras":
        raise UsageError(
            f"--backend {backend}: expected the engine keras, received {engine}, which has no backend. "
            "Leave out --backend, or add --engine keras."
        )
    from tenfold.keras_engine import use_backend

    use_backend(backend)
