"""`tenfold audit`: planted faults found by training, a model that has seen them, and the folder it leaves."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tenfold.data import load


@pytest.fixture
def planted(here: Path) -> set[int]:
    """faults.npz: 1,500 digits, 30 of which were given another label -> their rows."""
    digits = load("mnist5k", say=lambda _: None).train.take(np.arange(1_500))
    rows = np.random.default_rng(4).choice(1_500, 30, replace=False)
    labels = digits.known_labels.copy()
    labels[rows] = (labels[rows] + 3) % 10
    np.savez(here / "faults.npz", images=digits.images, labels=labels)
    return set(rows.tolist())


def test_planted_faults_stand_first_in_every_form(tenfold, planted):
    outcome = tenfold(
        "audit", "npz:faults.npz", "--recipe", "seed-numpy", "--folds", "2", "-o", "audit"
    )
    assert outcome.code == 0
    assert sorted(path.name for path in Path("audit").iterdir()) == [
        "gallery.png",
        "issues.csv",
        "issues.json",
    ]
    document = json.loads(Path("audit/issues.json").read_text())
    rows = [issue["row"] for issue in document["issues"]]
    # Two networks trained on 750 digits each find most of them; by chance one in fifty would be planted.
    assert len(set(rows[:40]) & planted) >= 20
    assert len(set(rows) & planted) >= 26
    assert document["asked"] == {"recipe": "seed-numpy", "folds": 2}
    assert document["data"]["images"] == 1_500
    table = list(csv.DictReader(io.StringIO(Path("audit/issues.csv").read_text())))
    assert [int(line["row"]) for line in table] == rows
    assert [int(line["rank"]) for line in table] == list(range(1, len(rows) + 1))
    with Image.open("audit/gallery.png") as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 500
    assert "Training number 2, on 750 images." in outcome.err
    assert f"doubted      {len(rows)}, for which" in outcome.out


def test_a_model_is_asked_as_it_is_and_what_it_has_seen_is_said(tenfold, finished):
    seen = tenfold("audit", "mnist5k", "--part", "train", "--model", finished, "-o", "seen")
    assert "Warning: 4,000 of these 4,000 images were in the training data" in seen.err
    unseen = tenfold("audit", "mnist5k", "--model", finished, "-o", "unseen", "--json")
    assert "Warning" not in unseen.err
    printed = json.loads(unseen.out)
    assert printed["images"] == 1_000  # the test part
    document = json.loads(Path("unseen/issues.json").read_text())
    assert document["asked"] == {"models": [finished], "seen": 0}
    assert printed["issues"] == document["issues"]
    wrong = json.loads(tenfold("evaluate", finished, "--json").out)["most_confused"]
    assert printed["doubted"] == sum(pair["images"] for pair in wrong)


def test_several_models_are_asked_for_their_mean_and_an_onnx_file_is_not_trusted(tenfold, finished):
    onnx = f"{finished}/model/model.onnx"
    both = tenfold("audit", "mnist5k", "--model", onnx, "--model", finished, "-o", "both", "--json")
    assert "An .onnx file does not say what it was trained on" in both.err
    one = tenfold("audit", "mnist5k", "--model", finished, "-o", "one", "--json")
    # The same network twice: the mean is what one says.
    assert json.loads(both.out)["issues"] == json.loads(one.out)["issues"]
