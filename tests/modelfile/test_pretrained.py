"""The model in the box: there, sealed, small, and made as its record says."""

import json

import numpy as np

import tenfold
from tenfold.modelfile import PRETRAINED, load_model
from tenfold.recipe import recipe_from_json
from tenfold.recipes import RECIPES
from tenfold.statistics import Proportion


def test_it_is_at_most_two_megabytes_and_whole():
    assert (PRETRAINED / "model.onnx").stat().st_size <= 2 * 2**20
    assert load_model(PRETRAINED).reject_below == tenfold.pretrained().reject_below > 0.5


def test_its_record_is_of_the_recipe_as_it_is_and_of_this_model():
    record = json.loads((PRETRAINED / "record.json").read_text())
    assert recipe_from_json(record["recipe"]["value"]) == RECIPES["everyday"].recipe
    assert record["test_openings"] == 1
    model = load_model(PRETRAINED)
    assert model.about["data_hash"] == record["data"]["hash"]["train"]
    assert model.reject_below == record["results"]["rejection"]["below"]
    told = record["results"]["test"]
    card = (PRETRAINED / "README.md").read_text()
    assert str(Proportion(told["correct"], told["total"])) in card


def test_it_tells_real_digits_and_rejects_what_is_none(small_digits):
    classifier = tenfold.pretrained()
    told = classifier.predict_proba(small_digits.images)
    # It was trained on these: one or two of a thousand that nobody could tell may be wrong.
    assert (told.argmax(axis=1) == small_digits.known_labels).mean() > 0.99
    assert (told.max(axis=1) >= classifier.reject_below).mean() > 0.95
    blank = np.zeros((1, 28, 28), np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (20, 28, 28)).astype(np.uint8)
    nothing = classifier.predict_proba(np.concatenate([blank, noise])).max(axis=1)
    assert (nothing < classifier.reject_below).all()


def test_a_file_made_of_it_knows_where_it_ends(tmp_path):
    written = tenfold.export(PRETRAINED, "onnx", out=tmp_path / "digits.onnx")
    assert tenfold.open_classifier(written).reject_below == tenfold.pretrained().reject_below
