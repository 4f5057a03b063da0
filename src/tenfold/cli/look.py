"""`tenfold show`, `recipes` and `data`: what there is, without training or using anything."""

from collections.abc import Iterator, Sequence
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tenfold.cli import console
from tenfold.cli.options import AsJson, given

if TYPE_CHECKING:
    from tenfold.exports import Described
    from tenfold.network import Network, Step
    from tenfold.recipe import Recipe
    from tenfold.recipes import Expected


def show(
    what: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE|MODEL",
            help="A name of `tenfold recipes`, a run folder or a model folder.",
            callback=given,
        ),
    ],
    form: Annotated[
        Literal["text", "script", "json"],
        typer.Option("--as", help="A table, a Keras script that does the same, or the bare value."),
    ] = "text",
) -> None:
    """Show a network layer by layer, and its training.

    Example: tenfold show cnn --as script > train_cnn.py
    """
    from tenfold import exports
    from tenfold.recipes import RECIPES

    described = exports.describe(what)
    if form == "json":
        console.show_json(described.to_json())
    elif form == "script":
        console.show(_script(described))
    else:
        console.show(_text(described))
    known = what in RECIPES
    console.suggest(
        ["tenfold", "train", "--recipe", what] if known else ["tenfold", "evaluate", what]
    )


def recipes(as_json: AsJson = False) -> None:
    """List the networks that can be trained by name.

    Example: tenfold recipes
    """
    from tenfold.recipes import DEFAULT, RECIPES

    if as_json:
        console.show_json(
            [
                {"name": name, "purpose": purpose, "default": name == DEFAULT}
                | {"parameters": recipe.parameter_count, "flops": recipe.flops}
                | {"recipe": recipe.to_json(), "expected": expected and expected._asdict()}
                for name, (recipe, purpose, expected) in RECIPES.items()
            ]
        )
    else:
        head = ("recipe", "engine", "epochs", "parameters", "test accuracy", "")
        rows = [
            (
                name,
                recipe.engine,
                str(recipe.epochs),
                f"{recipe.parameter_count:,}",
                _expected(expected),
                purpose,
            )
            for name, (recipe, purpose, expected) in RECIPES.items()
        ]
        console.show(console.table([head, *rows], right=(2, 3, 4)))
    console.suggest(["tenfold", "show", DEFAULT], ["tenfold", "train", "--recipe", DEFAULT])


def _expected(expected: "Expected | None") -> str:
    if expected is None:
        return ""
    low, high = expected.accuracy
    return f"{(low + high) / 2:.2%} (n = {expected.seeds})"


def data(as_json: AsJson = False) -> None:
    """List the data sets, and where digits can come from.

    Example: tenfold data
    """
    from tenfold.data import KINDS, sources

    if as_json:
        console.show_json(
            {
                "kinds": [
                    {"kind": name, "takes": kind.takes, "about": kind.about}
                    for name, kind in KINDS.items()
                ],
                "sources": [source._asdict() for source in sources()],
            }
        )
    else:
        kinds = [
            (f"{name}:{kind.takes}" if kind.takes else name, kind.about)
            for name, kind in KINDS.items()
        ]
        console.show("\n\n".join([console.table([("data", ""), *kinds]), sources_text()]))
    console.suggest(["tenfold", "train", "--data", "mnist"])


def sources_text() -> str:
    """Where digits can come from here, a line each."""
    from tenfold.data import sources

    there = {True: "yes", False: "no", None: "network"}
    rows = [(source.name, there[source.there], source.place) for source in sources()]
    return console.table([("source", "there", "place"), *rows])


def _script(described: "Described") -> str:
    from tenfold.modelfile import to_script

    return to_script(described.known_recipe, name=described.name).rstrip()


def _text(described: "Described") -> str:
    parts = list(_network_tables(described.networks))
    if len(described.networks) > 1 or described.shifts:
        parts.append(_answer_table(described))
    if described.recipe is not None:
        parts.append(_training_table(described.recipe))
    return "\n\n".join(parts)


def _network_tables(networks: "Sequence[Network]") -> Iterator[str]:
    """The layers of each network; of equal ones once, below the numbers they bear."""
    for network in dict.fromkeys(networks):
        if len(networks) > 1:
            yield ", ".join(
                f"network_{n}" for n, other in enumerate(networks, 1) if other == network
            )
        yield _layer_table(network)


def _answer_table(described: "Described") -> str:
    """How the networks answer together, and what an answer costs."""
    from tenfold.classifiers import places

    pixels = described.shifts
    moved = f"5, moved by {pixels} to each side" if pixels else "1"
    flops = len(places(pixels)) * sum(network.flops for network in described.networks)
    parameters = sum(network.parameter_count for network in described.networks)
    return console.table(
        [
            ("answer", "the mean of all networks at all places"),
            ("networks", str(len(described.networks))),
            ("places of a picture", moved),
            ("parameters", f"{parameters:,}"),
            ("FLOPs an image", f"{flops:,}"),
        ]
    )


def _layer_table(network: "Network") -> str:
    head = ("layer", "", "output", "parameters", "FLOPs an image")
    rows = list(_layer_rows(network.plan, indent=""))
    total = ("in all", "", "", f"{network.parameter_count:,}", f"{network.flops:,}")
    return console.table([head, *rows, total], right=(3, 4))


def _layer_rows(steps: "tuple[Step, ...]", *, indent: str) -> Iterator[tuple[str, ...]]:
    for step in steps:
        yield (
            indent + step.name,
            "x + the layers below" if step.inside else _call(step.layer),
            "x".join(map(str, step.output_shape)),
            f"{sum(parameter.size for parameter in step.parameters):,}",
            f"{2 * step.multiply_adds:,}",
        )
        yield from _layer_rows(step.inside, indent=indent + "  ")


def _training_table(recipe: "Recipe") -> str:
    rows = [
        (field.name.replace("_", " "), _setting(getattr(recipe, field.name)))
        for field in fields(recipe)
        if field.name != "network"
    ]
    return console.table(rows)


def _setting(value: Any) -> str:
    if hasattr(value, "__dataclass_fields__"):
        return _call(value)
    return "none" if value is None else str(value)


def _call(value: Any) -> str:
    """A value as it is written down, without the settings that are left at their defaults."""
    given_fields = [
        _argument(got) if field.default is MISSING else f"{field.name}={_argument(got)}"
        for field in fields(value)
        if (got := getattr(value, field.name)) != field.default
    ]
    return f"{type(value).__name__}({', '.join(given_fields)})"


def _argument(value: Any) -> str:
    """A recipe within a recipe would fill a page: `show --as json` has all of it."""
    from tenfold.recipe import Recipe

    if isinstance(value, Recipe):
        return f"a recipe of {value.parameter_count:,} parameters and {value.epochs} epochs"
    return repr(value)
