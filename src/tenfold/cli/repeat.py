"""`tenfold repeat`: a recipe with many seeds."""

from typing import Annotated, Any

import typer

from tenfold.cli import console
from tenfold.cli.failures import Interrupted
from tenfold.cli.options import AsJson, Backend, Data, Engine, Epochs, given, use
from tenfold.errors import TrainingError


def repeat(  # noqa: PLR0913  each is an option of the command line
    recipe: Annotated[
        str,
        typer.Argument(metavar="RECIPE", help="A name of `tenfold recipes`.", callback=given),
    ],
    seeds: Annotated[int, typer.Option(metavar="N", min=1, help="How many seeds.")],
    first_seed: Annotated[
        int | None, typer.Option(metavar="K", min=0, help="The first of them; else 0.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(metavar="J", min=1, help="Trainings at a time, sharing the cores; else 1."),
    ] = None,
    data: Data = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER", help="Where the runs go; else runs/repeats/RECIPE.", callback=given
        ),
    ] = None,
    epochs: Epochs = None,
    engine: Engine = None,
    backend: Backend = None,
    as_json: AsJson = False,
) -> None:
    """Train a recipe with several seeds: mean, spread and intervals.

    Every run is a process and a folder of its own. Called again, it goes on with what is missing, and
    with more seeds it extends what there is. With a seed that failed it ends with exit code 1.

    Example: tenfold repeat standard --seeds 10 --jobs 2
    """
    from tenfold import verbs
    from tenfold.recipes import named_recipe

    settings = {"epochs": epochs, "engine": engine}
    changes: dict[str, Any] = {name: value for name, value in settings.items() if value is not None}
    if backend is not None:
        use(backend, engine or named_recipe(recipe).engine)
    first = first_seed or 0
    asked_for = range(first, first + seeds)
    console.say(f"Training {recipe}: seeds {first} to {first + seeds - 1}, {jobs or 1} at a time.")
    try:
        result = verbs.repeat(
            recipe, data, seeds=asked_for, jobs=jobs or 1, out=out, say=console.say, **changes
        )
    except KeyboardInterrupt as interrupt:
        raise Interrupted(str(interrupt)) from interrupt
    if as_json:
        console.show_json({"repeat": str(result.folder)} | result.json())
    else:
        console.show(str(result))
    if result.failed:
        raise TrainingError(
            f"{len(result.failed)} of {len(result.seeds)} seeds failed, and are not in these figures. Mend "
            "what is named above; the same command then tries again those that can be."
        )
    console.suggest(["tenfold", "compare", str(result.folder), "ANOTHER_REPEAT"])
