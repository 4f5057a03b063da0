"""The named recipes: what each is said to reach is what its record says, and the record is of this recipe."""

import json
from pathlib import Path

import pytest

from tenfold.exports import describe
from tenfold.recipe import recipe_from_json
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
    # A field that came after the record has its default in it.
    assert recipe_from_json(record["recipe"]["value"]) == RECIPES[name].recipe
    assert record["failed"] == []


def test_a_record_of_a_recipe_is_not_left_unsaid():
    records = {path.stem for path in (ROOT / "results").glob("*.json")} & RECIPES.keys()
    # The original network's record holds two recipes, in a shape of its own.
    assert records - {"seed"} == MEASURED.keys()


def test_the_default_has_been_measured():
    assert DEFAULT in MEASURED


def test_a_recipe_of_several_networks_counts_all_of_them():
    # 5 5 16 + 3 3 16 48 + 4 48 + 3 3 48 96 + 4 96 + 9 96 192 + 192 + 192 10 + 10, three times; of the
    # multiplications 144 400 + 100 6,912 + 9 41,472 + 165,888 + 1,920, twice for each of three.
    strong = RECIPES["strong"].recipe
    assert strong.parameter_count == 3 * 217_370
    assert strong.flops == 3 * 2 * (57_600 + 691_200 + 373_248 + 165_888 + 1_920)
    assert len(describe("strong").networks) == 3


def test_the_tiny_network_is_tiny():
    assert RECIPES["tiny"].recipe.network.parameter_count <= 6_000
