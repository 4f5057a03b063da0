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


@pytest.mark.parametrize("path", sorted((ROOT / "results").glob("*.json")), ids=lambda p: p.stem)
def test_what_was_measured_of_a_recipe_was_measured_of_this_one(path: Path):
    record = json.loads(path.read_text())
    # A benchmark's record says which recipe it was run with, and since 26 November 2026 what that recipe was.
    if "arguments" not in record or "recipe" not in record:
        return
    name = record["arguments"]["recipe"]
    assert recipe_from_json(record["recipe"]) == RECIPES[name].recipe


def test_a_record_of_a_recipe_is_not_left_unsaid():
    records = {path.stem for path in (ROOT / "results").glob("*.json")} & RECIPES.keys()
    # The original network's record holds two recipes, in a shape of its own.
    assert records - {"seed"} == MEASURED.keys()


def test_the_default_has_been_measured():
    assert DEFAULT in MEASURED


def test_a_recipe_of_several_networks_counts_all_of_them():
    # Of one: 5 5 16 + 3 3 16 32 + 4 32 + 3 3 32 48 + 4 48 + 3 3 48 64 + 4 64 + 9 64 128 + 128 + 128 10 + 10; of the
    # multiplications 576 400 + 100 4,608 + 64 13,824 + 36 27,648 + 73,728 + 1,280.
    strong = RECIPES["strong"].recipe
    convolutions = 230_400 + 460_800 + 884_736 + 995_328
    assert strong.parameter_count == 3 * 122_202
    assert strong.flops == 3 * 2 * (convolutions + 73_728 + 1_280)
    assert len(describe("strong").networks) == 3


def test_the_tiny_network_is_tiny():
    assert RECIPES["tiny"].recipe.network.parameter_count <= 6_000
