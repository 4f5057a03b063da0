"""`tenfold read`: text, JSON, marks and pictures of what was read; and photos that cannot be read."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tenfold as package
from tenfold.digits import Digits

DRAWING = Path(__file__).parent.parent / "reading" / "drawing.py"


@pytest.fixture(scope="session")
def photo_once(small_digits: Digits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo of 47 and 108, drawn from digits that the model in the box knows; not to be written to."""
    spec = importlib.util.spec_from_file_location("drawing_for_read", DRAWING)
    assert spec is not None
    assert spec.loader is not None
    drawing = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name.
    import sys

    sys.modules[spec.name] = drawing
    spec.loader.exec_module(drawing)
    told = package.pretrained().predict_proba(small_digits.images)
    sure = (told.argmax(axis=1) == small_digits.known_labels) & (told.max(axis=1) > 0.999)
    known = small_digits.take(np.flatnonzero(sure))
    for seed in range(20):
        rng = np.random.default_rng(seed)
        glyphs = drawing.chosen(["47", "108"], known.images, known.known_labels, rng)
        photo = drawing.draw(glyphs, drawing.Style(pen=4.0), rng)
        page = package.read(photo)
        if page.text == "47\n108" and min(d.confidence for x in page.lines for d in x.digits) > 0.9:
            path = tmp_path_factory.mktemp("photo") / "page.png"
            Image.fromarray(photo).save(path)
            return path
    raise AssertionError("no page was read")


@pytest.fixture
def photo(photo_once: Path, here: Path) -> str:
    """That photo in the folder `here`."""
    (here / "page.png").write_bytes(photo_once.read_bytes())
    return "page.png"


def test_a_line_of_text_for_each_line_of_digits(tenfold, photo):
    outcome = tenfold("read", photo)
    assert outcome[:2] == (0, "47\n108\n")
    assert "--overlay" in outcome.err


def test_json_is_one_object_for_one_photo(tenfold, photo):
    page = json.loads(tenfold("read", photo, "--json").out)
    assert page.keys() == {"photo", "lines"}
    assert page["photo"] == photo
    assert [line["text"] for line in page["lines"]] == ["47", "108"]
    height, width = np.asarray(Image.open(photo)).shape[:2]
    for line in page["lines"]:
        assert line.keys() == {"text", "digits"}
        assert "".join(str(digit["digit"]) for digit in line["digits"]) == line["text"]
        for digit in line["digits"]:
            assert digit.keys() == {"digit", "confidence", "box"}
            assert 0 < digit["confidence"] <= 1
            x, y, wide, high = digit["box"]
            assert 0 <= x < x + wide <= width
            assert 0 <= y < y + high <= height


@pytest.mark.slow
def test_json_is_a_list_for_several_and_text_names_the_photo(tenfold, photo):
    pages = json.loads(tenfold("read", photo, photo, "--json").out)
    assert [page["photo"] for page in pages] == [photo, photo]
    assert tenfold("read", photo, photo).out == 2 * f"{photo}\t47\n{photo}\t108\n"


@pytest.mark.slow
def test_a_model_can_be_named_and_python_reads_the_same(tenfold, photo):
    named = str(Path(package.modelfile.__file__).parent / "pretrained")
    assert tenfold("read", photo, "--model", named).out == tenfold("read", photo).out
    assert package.read(photo).text == "47\n108"
    assert package.read(np.asarray(Image.open(photo))).to_json()["photo"] is None
    assert package.read(photo, model=named).text == "47\n108"


@pytest.mark.slow
def test_what_the_model_says_is_no_digit_is_marked(tenfold, photo, monkeypatch):
    monkeypatch.setattr(package.pretrained(), "reject_below", 0.999999)
    unsure = package.read(photo)
    assert any(digit.rejected for line in unsure.lines for digit in line.digits)
    marked = [
        "".join("?" if d.confidence < 0.999999 else str(d.digit) for d in line.digits)
        for line in unsure.lines
    ]
    assert tenfold("read", photo, "--reject").out.split() == marked
    lines = json.loads(tenfold("read", photo, "--reject", "--json").out)["lines"]
    assert [line["text"] for line in lines] == marked
    told = [
        "".join("?" if d["digit"] is None else str(d["digit"]) for d in line["digits"])
        for line in lines
    ]
    assert told == marked
    assert tenfold("read", photo).out == "47\n108\n"


def test_the_overlay_shows_the_photo_with_what_the_model_saw(tenfold, photo):
    outcome = tenfold("read", photo, "--overlay", "seen.png")
    assert outcome[:2] == (0, "47\n108\n")
    before, drawn = np.asarray(Image.open(photo)), np.asarray(Image.open("seen.png"))
    blue = (np.abs(drawn.astype(int) - (0, 110, 200)) < 8).all(axis=2)
    assert blue.sum() > 300
    if drawn.shape == before.shape:
        assert (drawn != before).any(axis=2).mean() < 0.3


def test_an_empty_page_is_no_error_and_said_aloud(tenfold, here):
    Image.new("L", (300, 200), 230).save("empty.png")
    outcome = tenfold("read", "empty.png")
    assert outcome[:2] == (0, "")
    assert "empty.png: no digits were found" in outcome.err
    assert json.loads(tenfold("read", "empty.png", "--json").out)["lines"] == []


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("read", 2, "PHOTO"),
        ("read ''", 2, "empty"),
        ("read missing.png", 3, "no such file"),
        ("read notes.png", 3, "notes.png"),
        ("read .", 3, "folder"),
        ("read page.png page.png --overlay a.png", 2, "one photo"),
        ("read page.png --overlay .", 2, "folder"),
        ("read page.png --overlay ./page.png", 2, "would be lost"),
        ("read page.png --overlay seen.jpg", 2, ".png"),
        ("read page.png --model nowhere", 7, "nowhere"),
    ],
)
def test_what_cannot_be_read_ends_in_a_sentence(tenfold, photo, command, code, said):
    import shlex

    Path("notes.png").write_text("no picture")
    before = sorted(Path().iterdir())
    outcome = tenfold(*shlex.split(command))
    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err
    assert "Traceback" not in outcome.err
    assert sorted(Path().iterdir()) == before


def test_a_photo_that_cannot_be_read_is_named_and_costs_nothing_of_the_others(tenfold, photo):
    outcome = tenfold("read", "missing.png", photo)
    assert outcome[:2] == (3, f"{photo}\t47\n{photo}\t108\n")
    assert "missing.png: no such file" in outcome.err
    none = tenfold("read", "missing.png", "--json")
    assert (none.code, json.loads(none.out).keys()) == (3, {"photo", "error"})
    missing, page = json.loads(tenfold("read", "missing.png", photo, "--json").out)
    assert missing.keys() == {"photo", "error"}
    assert missing["photo"] == "missing.png"
    assert [line["text"] for line in page["lines"]] == ["47", "108"]


@pytest.mark.parametrize(
    ("photo", "says"),
    [("-", "received standard input. Save the photo"), ("https://a.example/b.png", "not fetched")],
)
def test_what_is_no_file_is_answered_with_what_to_do(tenfold, photo, says):
    outcome = tenfold("read", photo)
    assert outcome.code == 3
    assert says in outcome.err


def test_a_page_that_predict_takes_for_no_digit_is_proposed_to_read(tenfold, photo):
    outcome = tenfold("predict", photo)
    assert outcome.out.split("\t")[2] == "not a digit"
    assert f"tenfold read {photo}" in outcome.err
