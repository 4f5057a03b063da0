"""`tenfold serve`: the page to draw on, and the HTTP API behind it, until it is ended."""

from pathlib import Path
from typing import Annotated

import typer

from tenfold.cli import console
from tenfold.cli.failures import Interrupted
from tenfold.cli.options import given
from tenfold.errors import UsageError

PORT = 8410


def serve(
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="A run folder, a model folder or an .onnx file; left out, the model that tenfold brings.",
            callback=given,
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Where to listen; 0.0.0.0 lets other machines in, with a token.",
            callback=given,
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="N", help="0 for any that is free.", min=0, max=65535)
    ] = PORT,
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN",
            help="Ask for this token; left out, one is made where other machines are let in.",
            callback=given,
        ),
    ] = None,
) -> None:
    """Open a page to draw digits on, and an HTTP API.

    Ends with Ctrl-C, when all that was asked is answered. What there is to ask: URL/openapi.json

    Example: tenfold serve
    """
    from tenfold.modelfile import PRETRAINED, open_classifier
    from tenfold.serving.server import Server

    if token is not None and not (token.isascii() and token.isprintable() and " " not in token):
        raise UsageError("--token: expected letters, digits and signs of ASCII without a blank.")
    # The service asks in several threads, each of which has a core.
    classifier = open_classifier(PRETRAINED if model is None else Path(model), cores=1)
    with Server(classifier, host=host, port=port, token=token) as server:
        console.show(server.url)
        console.say("Open it in a browser. Ctrl-C ends it.")
        try:
            server.run()
        except KeyboardInterrupt:
            raise Interrupted("Ended. All that was asked is answered.") from None
