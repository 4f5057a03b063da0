"""`tenfold train`: start a training or go on with one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenfold.cli import console
from tenfold.cli.failures import Interrupted
from tenfold.cli.options import AsJson, Backend, Data, Engine, Epochs, given, use
from tenfold.errors import UsageError

if TYPE_CHECKING:
    from tenfold.training import Run


def train(  # noqa: PLR0913  each is an option of the command line
    recipe: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="How; `tenfold recipes` lists them.", callback=given),
    ] = None,
    data: Data = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Decides all that is left to chance; else 0.")
    ] = None,
    epochs: Epochs = None,
    patience: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Stop after N epochs without a lower validation loss; keep the best weights.",
        ),
    ] = None,
    engine: Engine = None,
    backend: Backend = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="RUN", help="The run folder; else one of its own in runs/.", callback=given
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with RUN, or the newest unfinished run.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train a network, judge it and write a report.

    The test images are opened once, at the end; what was done and measured goes into a run folder.

    Example: tenfold train --recipe mlp --seed 1
    """
    settings = {
        "recipe": recipe,
        "seed": seed,
        "epochs": epochs,
        "patience": patience,
        "engine": engine,
        "backend": backend,
    }
    chosen: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
    try:
        run = _resume(out, data, chosen) if resume else _train(out, data, **chosen)
    except KeyboardInterrupt as interrupt:
        raise Interrupted(str(interrupt)) from interrupt
    if as_json:
        console.show_json({"run": str(run.folder)} | run.record)
    else:
        console.show(_summary(run))
    _close(run, data)


def _train(
    out: str | None,
    data: str | None,
    *,
    recipe: str | None = None,
    seed: int = 0,
    backend: str | None = None,
    patience: int | None = None,
    **changes: Any,
) -> "Run":
    from dataclasses import replace

    from tenfold import verbs
    from tenfold.cli.progress import shown_epochs
    from tenfold.recipe import EarlyStopping
    from tenfold.recipes import DEFAULT, named_recipe

    if patience is not None:
        changes["early_stopping"] = EarlyStopping(patience)
    name = recipe or DEFAULT
    value = replace(named_recipe(name), **changes)
    if backend is not None:
        use(backend, value.engine)
    console.say(f"Training {name}: engine {value.engine}, epochs {value.epochs}, seed {seed}.")
    with shown_epochs(value.epochs) as on_epoch:
        return verbs.train(
            value, data, name=name, seed=seed, out=out, on_epoch=on_epoch, say=console.say
        )


def _resume(out: str | None, data: str | None, chosen: dict[str, Any]) -> "Run":
    if chosen:
        raise UsageError(
            "--resume goes on with what the run was started with. Leave out "
            f"{', '.join(f'--{name}' for name in chosen)}, or start a new run without --resume."
        )
    from tenfold import verbs
    from tenfold.cli.progress import shown_epochs
    from tenfold.training import read_record

    folder = verbs.newest_unfinished() if out is None else Path(out)
    record = read_record(folder)
    console.say(f"Going on with {folder}.")
    with shown_epochs(record["recipe"]["value"]["epochs"]) as on_epoch:
        return verbs.resume(folder, data, on_epoch=on_epoch, say=console.say)


def _summary(run: "Run") -> str:
    seconds = run.record["seconds"]
    corrected = [("by corrected labels", str(run.corrected))] if run.corrected else []
    return console.table(
        [
            ("test accuracy", str(run.test or "none: these data have no test part")),
            *corrected,
            ("validation accuracy", str(run.validation or "none: nothing was set aside")),
            ("time", f"{seconds['total']:.1f} s, of which training {seconds['training']:.1f} s"),
            ("run", str(run.folder)),
            ("report", str(run.folder / "report.html")),
        ]
    )


def _close(run: "Run", asked_for: str | None) -> None:
    data = run.record["data"]
    if asked_for is None and data["name"] != "mnist":
        images = data["images"]
        console.say(
            f"Note: trained and tested on {data['name']}, not on MNIST: "
            f"{images['training'] + images['validation']:,} images to learn from, {images['test']:,} "
            "to test. These figures are not MNIST's."
        )
    folder = str(run.folder)
    console.suggest(
        ["tenfold", "evaluate", folder],
        ["tenfold", "submit", folder, "test.csv"],
        ["tenfold", "compare", folder, "ANOTHER_RUN"],
    )
