"""`tenfold compare`: which of several runs, or of two recipes, is better."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenfold.cli import console
from tenfold.cli.options import AsJson, Data, all_given
from tenfold.errors import TenfoldError, UsageError

if TYPE_CHECKING:
    from tenfold.digits import Parts
    from tenfold.training import Run


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN RUN...",
            help="Run folders, or two folders of `tenfold repeat`.",
            callback=all_given,
        ),
    ],
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the table for a GitHub page.")
    ] = False,
    page: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page with all that reports show."),
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Put runs side by side and test whether they differ.

    Of two runs, a paired test on the same test images. Of two folders of `tenfold repeat`, a test over
    seeds, which is one of their recipes.

    DATA is for the page alone: what the first run was trained on, where its record does not say.

    Example: tenfold compare runs/numpy runs/keras --html both.html
    """
    from tenfold.scaling import is_repeat

    _check_different(runs)
    if any(is_repeat(Path(run)) for run in runs):
        if page is not None:
            raise UsageError(
                "compare: --html is for runs, received repeats. Name two of their runs."
            )
        _compare_repeats(runs, markdown=markdown, as_json=as_json)
        return
    if markdown and as_json:
        raise UsageError("compare: expected --markdown or --json, received both. Leave one out.")
    from tenfold.insights import write_comparison
    from tenfold.reporting import compare as compare_runs
    from tenfold.training import open_run

    opened = [open_run(Path(run)) for run in runs]
    comparison = compare_runs(opened)
    if page is not None:
        write_comparison(opened, page, _digits_of(opened[0], data))
        console.say(f"The page: {page}")
    if as_json:
        console.show_json(comparison.json())
    else:
        console.show((comparison.markdown() if markdown else comparison.text()).rstrip())
    console.suggest(["tenfold", "evaluate", runs[0]])


def _digits_of(run: "Run", data: str | None) -> "Parts | None":
    """The digits of a run, for the page; where they cannot be had, None, and what the page will lack is said."""
    from tenfold.insights import parts_for

    try:
        parts = parts_for(run.folder, data, say=console.say)
    except TenfoldError as error:
        if data is not None:
            raise
        console.say(f"{error} The page says what the records hold.")
        return None
    if parts.train.hash != run.record["data"]["hash"]["train"]:
        console.say(
            f"{run.name} was trained on other digits than {parts.train.source}: the page says what the records hold. "
            "Name its data with --data."
        )
        return None
    return parts


def _compare_repeats(folders: list[str], *, markdown: bool, as_json: bool) -> None:
    from tenfold.scaling import compare_repeats, open_repeat

    if len(folders) != 2 or markdown:
        raise UsageError(
            "compare: of repeats, expected the folders of two, without --markdown. Compare them two by two."
        )
    comparison = compare_repeats(*(open_repeat(folder) for folder in folders))
    if as_json:
        console.show_json(comparison.json())
    else:
        console.show(console.table(comparison.rows()) + "\n\n" + str(comparison))
    console.suggest(["tenfold", "evaluate", str(comparison.first.runs[0].folder)])


def _check_different(runs: list[str]) -> None:
    if len(runs) < 2:
        raise UsageError(
            f"compare: expected at least two run folders, received {len(runs)}. Name another one."
        )
    places = [Path(run).resolve() for run in runs]
    for number, place in enumerate(places):
        if place in places[:number]:
            raise UsageError(
                f"compare: expected different runs, received {runs[number]} twice. Name another one."
            )
