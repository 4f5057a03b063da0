"""What a recipe or a model is: its networks, and how they are trained where that is known."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenfold.errors import ModelError
from tenfold.modelfile import Model, describe_members, find_model, load_model
from tenfold.network import Network
from tenfold.recipe import Recipe
from tenfold.recipes import RECIPES, named_recipe
from tenfold.training import is_run, open_run


@dataclass(frozen=True)
class Described:
    """Networks, and how they are trained where that is known.

    Attributes:
        name: of the recipe, or of the model's folder where no recipe is known.
        networks: one, or the several of an ensemble.
        shifts: the pixels of the test-time shifts, 0 for none.
        recipe: as it was trained, overrides included; None for a model folder outside its run.
        reject_below: what the finished model rejects; see `modelfile.Model`. A recipe alone cannot say: 0.
    """

    name: str
    networks: tuple[Network, ...]
    shifts: int
    recipe: Recipe | None
    reject_below: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The recipe; where none is known, what the model folder says. Plain JSON values."""
        if self.recipe:
            return self.recipe.to_json()
        return describe_members(self.networks, self.shifts, self.reject_below)

    @property
    def known_recipe(self) -> Recipe:
        """The recipe, or ModelError where there is none."""
        if self.recipe is None:
            raise ModelError(
                f"{self.name}: expected a recipe or a run folder, received a model folder, which does not "
                "say how it is trained. Name the run it came from."
            )
        return self.recipe


def describe(what: Path | str) -> Described:
    """The networks behind a name of `tenfold.RECIPES`, a run folder or a model folder."""
    path = Path(what)
    if str(what) in RECIPES or not path.exists():
        return _described(str(what), named_recipe(str(what)))
    if is_run(path):
        run = open_run(path)
        return _described(run.record["recipe"]["name"], run.recipe)
    model = load_networks(path)
    networks = tuple(network for network, _ in model.members)
    return Described(path.resolve().name, networks, model.shifts, None, model.reject_below)


def _described(name: str, recipe: Recipe) -> Described:
    networks = (recipe.network,) * recipe.members
    return Described(name, networks, recipe.test_time_shifts, recipe)


def load_networks(path: Path) -> Model:
    """The networks and weights at `path`, a run folder or a model folder."""
    if path.suffix == ".onnx":
        raise ModelError(
            f"{path}: expected a run folder or a model folder, received an .onnx file, which does not hold "
            "the description of a network. Name the folder it came from."
        )
    if is_run(path):
        # An unfinished run is called that, instead of a folder without a model.
        open_run(path)
    return load_model(find_model(path))
