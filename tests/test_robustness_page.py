"""docs/robustness.md says what the record says, and the record is of the model that is in the box."""

import json
from pathlib import Path

import numpy as np
import pytest

from tenfold import insights
from tenfold.data import load
from tenfold.evaluation import CORRUPTIONS
from tenfold.modelfile import pretrained
from tenfold.randomness import stream
from tenfold.reporting import by_chance
from tenfold.statistics import Proportion

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "robustness.md").read_text()
RECORD = json.loads((ROOT / "results" / "robustness.json").read_text())


def told(entry):
    return Proportion(entry["correct"], entry["total"])


def test_every_row_of_the_page_is_the_record_s():
    rows = {"as they are": RECORD["clean"], **RECORD["corruptions"]}
    attacks = [curve for curve in RECORD["curves"] if curve["unit"] == "of the range"]
    for curve in attacks:
        rows |= {f"{curve['name']}, eps {point['at']:g}": point for point in curve["points"]}
    assert len(rows) == 1 + 15 + 8
    for name, entry in rows.items():
        assert f"| {name} | {told(entry)} |\n" in PAGE
    assert f"| mean corruption error | {RECORD['corruption_error']['mean']:.2%} (" in PAGE


@pytest.mark.mnist
def test_the_record_is_what_the_model_in_the_box_does():
    digits = by_chance(load("mnist").test, insights.IMAGES, RECORD["seed"])
    assert digits.hash == RECORD["data"]["hash"]
    for name in ("shear", "brightness", "canny edges"):
        changed = CORRUPTIONS[name](digits.images, stream(RECORD["seed"], "corruption", name), 1.0)
        right = np.equal(pretrained().predict_proba(changed).argmax(axis=1), digits.known_labels)
        # A probability that rounds otherwise on another processor may turn a picture or two.
        assert abs(int(right.sum()) - RECORD["corruptions"][name]["correct"]) <= 3
