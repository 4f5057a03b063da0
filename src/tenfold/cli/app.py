"""The table of commands. Each is a function elsewhere; its docstring is its help."""

from typing import Annotated

import typer

from tenfold.cli import console
from tenfold.cli.audit import audit
from tenfold.cli.compare import compare
from tenfold.cli.diagnose import diagnose
from tenfold.cli.doctor import doctor
from tenfold.cli.evaluate import evaluate
from tenfold.cli.insights import explain, report, robustness
from tenfold.cli.look import data, recipes, show
from tenfold.cli.predict import predict
from tenfold.cli.read import read
from tenfold.cli.repeat import repeat
from tenfold.cli.serve import serve
from tenfold.cli.train import train
from tenfold.cli.use import ensemble, export, submit

# Without rich's panels the help takes half the time, and can be piped and copied as it stands.
app = typer.Typer(
    rich_markup_mode=None,
    context_settings={
        "help_option_names": ["-h", "--help"],
        # A flag that is left out is None to typer, which imports pydantic to make False of it.
        "default_map": {"help": False, "install_completion": False, "show_completion": False},
    },
)
for command in (
    train, repeat, evaluate, predict, read, serve, submit, compare, diagnose, audit, report, robustness, explain, ensemble, export, show, recipes, data, doctor
):  # fmt: skip
    app.command()(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        console.show(f"tenfold {version('tenfold')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def tenfold(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Train, judge, understand and use handwritten-digit classifiers.

    Example: tenfold train
    """
    if context.invoked_subcommand is None:
        console.show(context.get_help())
