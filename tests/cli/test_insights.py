"""`robustness` and `explain` as a person runs them."""

import inspect
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tenfold import insights
from tenfold.cli import insights as cli
from tenfold.data import load
from tenfold.training import open_run


@pytest.fixture
def small(monkeypatch):
    """What takes long is made short: few pictures are searched and on the map."""
    monkeypatch.setattr("tenfold.insights.MAPPED", 100)
    monkeypatch.setattr("tenfold.insights.SEARCHED", 500)


def test_robustness_prints_a_table_and_writes_its_files(tenfold, finished):
    options = ("--images", "60", "--attacked", "10", "--out", "found")
    outcome = tenfold("robustness", finished, *options)
    assert outcome.code == 0
    assert "60 by chance of the 1,000 images" in outcome.out
    lines = {line.split("  ")[0] for line in outcome.out.splitlines()}
    assert {"canny edges", "mean corruption error", "rotation -15 degrees"} <= lines
    written = json.loads(Path("found/robustness.json").read_text())
    assert written["clean"]["total"] == 60
    assert written["curves"][-1]["points"][0]["total"] == 10
    assert Path("found/robustness.svg").read_text().lstrip().startswith("<?xml")
    for name in ("robustness.png", "corruptions.png"):
        with Image.open(f"found/{name}") as picture:
            assert min(picture.size) > 500
    # The run's own test part was looked at once more.
    assert open_run(Path(finished)).record["test_openings"] == 2


def test_the_command_line_takes_as_many_pictures_as_the_function():
    told, meant = (inspect.signature(f).parameters for f in (cli.robustness, insights.robustness))
    for name in ("images", "attacked", "seed"):
        assert told[name].default == meant[name].default


def test_robustness_as_json_is_a_function_of_the_seed(tenfold, finished):
    def found(seed):
        told = tenfold("robustness", finished, "--images", "40", "--attacked", "4", "--seed", seed, "--json")  # fmt: skip
        return json.loads(told.out)

    assert found("1") == found("1")
    assert found("1")["corruptions"] != found("2")["corruptions"]


def test_an_onnx_file_is_measured_but_not_attacked(tenfold, finished):
    outcome = tenfold("robustness", f"{finished}/model/model.onnx", "--data", "mnist5k", "--images", "20", "--json")  # fmt: skip
    assert "cannot be seen inside, so nothing is attacked" in outcome.err
    assert [curve["name"] for curve in json.loads(outcome.out)["curves"]] == [
        "shift", "rotation", "scale",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--images", "1"), "images: expected"),
        (("--attacked", "-1"), "attacked: expected"),
        (("--out", "taken"), "taken: expected a new or empty folder"),
        (("--seed", "-1"), "seed: expected"),
    ],
)
def test_robustness_refuses_what_cannot_be_right(tenfold, finished, arguments, sentence):
    Path("taken").mkdir()
    Path("taken/mine.txt").touch()
    outcome = tenfold("robustness", finished, *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert sentence in outcome.err


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_explain_writes_figures_and_says_what_they_show(tenfold, finished):
    digits = load("mnist5k").test
    Image.fromarray(255 - digits.images[3].repeat(4, axis=0).repeat(4, axis=1)).save("own.png")
    outcome = tenfold("explain", finished, "own.png", "--row", "12", "--out", "why", "--svg")
    assert outcome.code == 0
    names = {path.name for path in Path("why").iterdir()}
    figures = ("explanation-1", "explanation-2", "filters", "map")
    assert names == {f"{name}.{form}" for name in figures for form in ("png", "svg")} | {
        "explanations.json"
    }
    assert "own.png\n  The model tells a" in outcome.out
    assert f"the label says {digits.labels[12]}, " in outcome.out
    assert outcome.out.count("training pictures it holds to be most alike") == 2
    written = json.loads(Path("why/explanations.json").read_text())
    assert [one["label"] for one in written] == [None, digits.labels[12]]
    assert len(written[1]["neighbours"]) == 8


@pytest.mark.usefixtures("small")
def test_of_an_onnx_file_occlusion_alone_tells(tenfold, finished):
    model = f"{finished}/model/model.onnx"
    outcome = tenfold("explain", model, "--data", "mnist5k", "--row", "0", "--out", "why", "--json")
    told = json.loads(outcome.out)
    assert [Path(file).name for file in told["files"]] == ["explanation-1.png", "explanations.json"]
    assert told["explanations"][0]["neighbours"] == []
    assert told["explanations"][0]["picture"].startswith("row 0 of")


def test_explain_refuses_what_cannot_be_right(tenfold, finished):
    for arguments, sentence in (
        ((), "expected a PICTURE or --row N, received neither"),
        ((finished, "--row", "1000"), "--row 1000: expected a row of"),
        ((finished,), "expected a PICTURE or --row N, received neither"),
        ((finished, *(["--row", "1"] * 21)), "at most 20 pictures, received 21"),
    ):
        outcome = tenfold("explain", *arguments, "--data", "mnist5k", "--out", "why")
        assert (outcome.code, outcome.out) == (2, "")
        assert sentence in outcome.err
        assert not Path("why").exists()
    assert tenfold("explain", finished, "none.png", "--out", "why").code == 3


def test_the_model_in_the_box_is_explained_where_none_is_named(tenfold, monkeypatch, here):
    monkeypatch.setattr("tenfold.insights.MAPPED", 90)
    monkeypatch.setattr("tenfold.insights.SEARCHED", 50)
    pixels = np.zeros((40, 40), np.uint8)
    pixels[5:35, 18:22] = 255
    Image.fromarray(pixels).save("one.png")
    outcome = tenfold("explain", "one.png", "--data", "mnist5k", "--out", "why", "--json")
    assert json.loads(outcome.out)["model"] == "pretrained"
    assert json.loads(outcome.out)["explanations"][0]["told"] == 1


@pytest.mark.slow
def test_a_report_is_written_anew_with_its_figures(tenfold, finished):
    page = Path(finished, "report.html")
    before = page.read_bytes()
    openings = open_run(Path(finished)).record["test_openings"]
    outcome = tenfold("report", finished, "--figures", "figures")
    assert (outcome.code, outcome.out.strip()) == (0, str(page))
    assert "How sure it is" in page.read_text()
    # The page says how often the test part was opened, which is once more now.
    assert open_run(Path(finished)).record["test_openings"] == openings + 1
    assert page.read_bytes() != before
    names = {path.name for path in Path("figures").iterdir()}
    assert names == {
        f"{n}.{f}" for n in ("learning", "confusion", "confidence") for f in ("png", "svg")
    }
    for name in sorted(names):
        if name.endswith("png"):
            with Image.open(f"figures/{name}") as picture:
                assert min(picture.size) > 400
    taken = tenfold("report", finished, "--figures", "figures")
    assert taken.code == 2
    assert "expected a new or empty folder" in taken.err
