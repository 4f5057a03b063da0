"""`tenfold diagnose`: why a run's accuracy is what it is."""

from pathlib import Path
from typing import Annotated

import typer

from tenfold.cli import console
from tenfold.cli.options import AsJson, Data, given


def diagnose(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run folder.", callback=given)],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Find out why a run's accuracy is what it is.

    Names what is wrong with data, labels, split, network or training, what was measured, and what to
    do. Of a model and arrays from a script of your own: tenfold.diagnose in Python.

    Example: tenfold diagnose runs/my-run
    """
    from tenfold.data import load
    from tenfold.errors import UsageError
    from tenfold.training import diagnose_run, read_record

    folder = Path(run)
    name = data or read_record(folder)["data"]["name"]
    if name == "own":
        raise UsageError(
            f"{run}: this run was trained on data given as values. Name them with --data, or call "
            "tenfold.diagnose in Python."
        )
    diagnosis = diagnose_run(folder, load(name, say=console.say))
    if as_json:
        console.show_json(diagnosis.json())
    else:
        console.show(str(diagnosis))
    console.suggest(["tenfold", "evaluate", run])
