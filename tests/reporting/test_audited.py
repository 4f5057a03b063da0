"""What an audit leaves: a list that other programs read, and a page on which the pictures can be found again."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from tenfold.digits import Digits
from tenfold.evaluation import Audit, audit_labels
from tenfold.reporting.audited import as_csv, as_json, gallery, write_audit


@pytest.fixture
def audited(pictures: Digits) -> Audit:
    """Of twelve pictures, of which the fourth and the last are told otherwise than labelled."""
    probabilities = np.full((12, 10), 0.01)
    probabilities[np.arange(12), pictures.known_labels] = 0.91
    probabilities[3] = probabilities[11] = 0.05 / 8
    probabilities[3, [3, 8]] = 0.05, 0.90
    probabilities[11, [1, 7]] = 0.35, 0.60
    return audit_labels(pictures, probabilities)


def test_the_list_is_in_the_order_of_doubt(audited: Audit) -> None:
    head, *lines = as_csv(audited.issues).splitlines()
    assert head == "rank,row,label,other,probability_of_label,probability_of_other,confident"
    assert [line.split(",")[:4] for line in lines] == [["1", "3", "3", "8"], ["2", "11", "1", "7"]]


def test_the_document_is_plain_json_and_says_what_was_audited(
    audited: Audit, pictures: Digits
) -> None:
    document = json.loads(json.dumps(as_json(audited, pictures), allow_nan=False))
    assert document["data"] == {
        "source": "twelve pictures",
        "hash": pictures.hash,
        "images": 12,
    }
    assert [issue["row"] for issue in document["issues"]] == [3, 11]
    assert np.sum(document["joint"]) == audited.joint.sum()


def test_a_label_without_images_has_no_threshold(pictures: Digits) -> None:
    few = pictures.take(np.arange(3))
    document = as_json(audit_labels(few, np.eye(10)[:3]), few)
    assert document["thresholds"][:3] == pytest.approx([1, 1, 1], abs=1e-6)
    assert document["thresholds"][3:] == [None] * 7


def test_each_picture_stands_on_the_page_in_its_place(audited: Audit, pictures: Digits) -> None:
    raw = gallery(audited.issues, pictures)
    assert raw == gallery(audited.issues, pictures)
    with Image.open(io.BytesIO(raw)) as file:
        page = np.asarray(file.convert("L"))
    assert page.shape == (4 * (10 + 13 + 28), 4 * 8 * 28)
    for number, row in enumerate((3, 11)):
        drawn = page[4 * 23 :, 4 * 28 * number : 4 * 28 * (number + 1)]
        # Dark on white, each pixel four dots wide; the middle dots have its grey but for rounding.
        seen = 255 - drawn[2::4, 2::4].astype(int)
        assert np.abs(seen - pictures.images[row]).mean() < 3


def test_without_doubts_there_is_a_page_that_says_so(pictures: Digits, tmp_path) -> None:
    sure = audit_labels(pictures, np.eye(10)[pictures.known_labels])
    write_audit(sure, pictures, tmp_path / "none", about={"asked": {"models": ["oracle"]}})
    document = json.loads((tmp_path / "none" / "issues.json").read_text())
    assert (document["issues"], document["asked"]) == ([], {"models": ["oracle"]})
    assert (tmp_path / "none" / "issues.csv").read_text().count("\n") == 1
    with Image.open(tmp_path / "none" / "gallery.png") as page:
        assert np.asarray(page.convert("L")).min() < 100  # a sentence stands there
