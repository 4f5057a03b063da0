"""The named recipes: what each is said to reach is what its record says, and the record is of this recipe."""

import json
from pathlib import Path

import pytest

from tenfold.recipes import DEFAULT, RECIPES, Expected

ROOT = Path(__file__).parent.parent
MEASURED = {name: named.expected for name, named in RECIPES.items() if named.expected}


@pytest.mark.parametrize(("name", "expected"), MEASURED.items(), ids=MEASURED)
def test_what_a_recipe_is_expected_to_reach_stands_in_its_record(name: str, expected: Expected):
    record = json.loads((ROOT / expected.record).read_text())
    test = record["test_accuracy"]
    assert expected.accuracy == (round(test["low"], 5), round(test["high"], 5))
    assert expected.seeds == test["n"] == len(record["runs"])
    assert expected.seconds == round(record["training_seconds"]["median"], 1)
    assert record["recipe"]["value"] == RECIPES[name].recipe.to_json()
    assert record["failed"] == []


def test_a_record_of_a_recipe_is_not_left_unsaid():
    records = {path.stem for path in (ROOT / "results").glob("*.json")} & RECIPES.keys()
    # The original network's record holds two recipes, in a shape of its own.
    assert records - {"seed"} == MEASURED.keys()


def test_the_default_has_been_measured():
    assert DEFAULT in MEASURED


def test_the_tiny_network_is_tiny():
    assert RECIPES["tiny"].recipe.network.parameter_count <= 6_000
