"""What all runs of a repeat have in common: everything but the seed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tenfold.errors import UsageError
from tenfold.recipe import Recipe, recipe_from_json


@dataclass(frozen=True)
class Plan:
    """What is repeated.

    Attributes:
        name: the recipe's name in `tenfold.RECIPES`.
        recipe: its value; it may differ from the named one in `epochs` and `engine`, for which the
            command line has options.
        data: a name or "kind:path" of `tenfold.load`.
        data_hash: content hashes {"train", "test"}; null for a test part that there is not.
    """

    name: str
    recipe: Recipe
    data: str
    data_hash: dict[str, str | None]

    def json(self) -> dict[str, Any]:
        """Plain JSON values; `plan_from_json` is the inverse."""
        return {
            "recipe": {"name": self.name, "value": self.recipe.to_json()},
            "data": {"name": self.data, "hash": self.data_hash},
        }

    def check(self, place: Path, plan: "Plan") -> None:
        """That what stands at `place` was made by this plan: the same recipe value, the same digits.

        Raises:
            UsageError: it was not; figures of different things have no mean.
        """
        if plan.recipe != self.recipe:
            raise UsageError(
                f"{place}: expected the recipe {self.name} as it is asked for, received runs of "
                f"{plan.name} with other values. Name another folder with --out, or ask for that recipe."
            )
        if plan.data_hash != self.data_hash:
            raise UsageError(
                f"{place}: expected the digits of {self.data}, received runs on others ({plan.data}). "
                "Name another folder with --out, or give the same data."
            )

    def check_run(self, place: Path, record: dict[str, Any], *, seed: int) -> None:
        """That the run at `place` is this plan's with `seed`; UsageError otherwise."""
        self.check(place, plan_from_json(record))
        if record["seed"] != seed:
            raise UsageError(
                f"{place}: expected a run with seed {seed}, received one with seed {record['seed']}. A copy "
                "of a run counts no second time: take it away."
            )


def plan_from_json(record: dict[str, Any]) -> Plan:
    """The plan in repeat.json, or that a run.json says it was made by."""
    recipe, data = record["recipe"], record["data"]
    return Plan(recipe["name"], recipe_from_json(recipe["value"]), data["name"], data["hash"])
