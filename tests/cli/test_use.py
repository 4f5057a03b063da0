"""`evaluate`, `submit`, `compare`, `export`: a trained run at work."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tenfold.data import load, mnist
from tenfold.statistics import Proportion
from tenfold.training import open_run


def test_evaluate_says_what_the_run_found_at_its_end(tenfold, finished):
    run = open_run(Path(finished))
    outcome = tenfold("evaluate", finished)
    assert outcome.code == 0
    (line,) = (line for line in outcome.out.splitlines() if line.startswith("accuracy "))
    assert line.split(maxsplit=1)[1] == str(run.test)
    assert f"{run.record['results']['test']['log_loss']:.4f} nats" in outcome.out


def test_the_confusion_matrix_adds_up(tenfold, finished):
    found = json.loads(tenfold("evaluate", finished, "--json").out)
    confusion = np.array(found["confusion"])
    # The test part of mnist5k has 100 pictures of each digit.
    assert confusion.sum(axis=1).tolist() == [100] * 10
    assert np.trace(confusion) == found["accuracy"]["correct"]
    assert [told["correct"] for told in found["per_class"]] == np.diag(confusion).tolist()
    lines = tenfold("evaluate", finished).out.splitlines()[-10:]
    shown = [[int(cell.replace(".", "0")) for cell in line.split()[1:]] for line in lines]
    assert shown == confusion.tolist()


def test_evaluate_says_how_well_the_model_knows(tenfold, finished):
    outcome = tenfold("evaluate", finished)
    found = json.loads(tenfold("evaluate", finished, "--json").out)
    wrong = found["accuracy"]["total"] - found["accuracy"]["correct"]
    kept = found["coverage"]["kept"]
    assert (kept[0]["errors"], kept[0]["total"]) == (wrong, 1_000)
    assert kept[-1]["errors"] < wrong  # a network knows some of its mistakes
    assert sum(pair["images"] for pair in found["most_confused"]) == wrong
    first = found["most_confused"][0]
    assert f"wrong: {first['label']} as {first['told']} ({first['images']})" in outcome.out
    calibration = found["calibration"]
    assert calibration["log_loss"] == pytest.approx(found["log_loss"], rel=1e-12)
    assert sum(bin_["total"] for bin_ in calibration["reliability"]) == 1_000
    assert f"calibration error  {calibration['error']:.2%}; by chance" in outcome.out
    assert f"best temperature   {calibration['temperature']:.2f}, " in outcome.out
    assert found["corrected"] is found["cleaned"] is None


def test_evaluating_leaves_its_mark_on_the_record(tenfold, finished):
    tenfold("evaluate", finished)
    assert open_run(Path(finished)).record["test_openings"] == 2


def test_by_corrected_labels_where_mnists_test_part_is_judged(tenfold, finished, monkeypatch):
    labels = np.zeros(10_000, np.uint8)
    np.savez("ten.npz", images=np.zeros((10_000, 28, 28), np.uint8), labels=labels)
    outcome = tenfold("evaluate", finished, "--data", "npz:ten.npz")
    assert "corrected" not in outcome.out
    monkeypatch.setattr(mnist, "TEST_HASH", load("npz:ten.npz").train.hash)
    found = json.loads(tenfold("evaluate", finished, "--data", "npz:ten.npz", "--json").out)
    # Every picture is the same, so all are told as one digit.
    told = int(np.array(found["confusion"])[0].argmax())
    right = [9, 6, 4, 0, 3, 0, 3, 6, 6, 6].count(told) + (9_985 if told == 0 else 0)
    assert (found["corrected"]["correct"], found["corrected"]["total"]) == (right, 9_995)
    outcome = tenfold("evaluate", finished, "--data", "npz:ten.npz")
    assert f"by corrected labels   {Proportion(right, 9_995)}" in outcome.out
    without = Proportion(9_985 if told == 0 else 0, 9_985)
    assert f"without the doubtful  {without}" in outcome.out
    assert found["cleaned"]["total"] == 9_985


def test_what_is_suspicious_is_said_beside_the_figures(tenfold, finished):
    test = load("mnist5k").train
    np.savez("seen.npz", images=test.images, labels=test.known_labels)
    outcome = tenfold("evaluate", finished, "--data", "npz:seen.npz")
    assert "Warning: 4,000 of these 4,000 images were in the training data" in outcome.err
    assert "Warning" not in tenfold("evaluate", finished).err


def test_a_gate_that_is_met_is_quiet_and_one_that_is_not_ends_with_6(tenfold, finished):
    share = open_run(Path(finished)).test.share
    assert tenfold("evaluate", finished, "--min-accuracy", str(share)).code == 0
    missed = tenfold("evaluate", finished, "--json", "--min-accuracy", str(share + 1e-6))
    assert missed.code == 6
    assert json.loads(missed.out)["accuracy"]["total"] == 1000
    assert missed.err.splitlines()[-1].startswith("error: expected an accuracy of at least")


def test_a_submission_has_a_row_for_each_picture_and_belongs_to_its_run(
    tenfold, finished, write_test_csv
):
    write_test_csv("test.csv", load("mnist5k").test.images[:30])
    outcome = tenfold("submit", finished, "test.csv")
    written = Path(finished, "submission.csv")
    assert (outcome.code, outcome.out) == (0, f"{written}\n")
    assert written.read_text().splitlines()[0] == "ImageId,Label"
    assert len(written.read_text().splitlines()) == 31
    assert "submission.csv" in open_run(Path(finished)).record["files"]
    assert "kaggle competitions submit" in outcome.err


def test_a_second_submission_replaces_the_first_and_the_run_stays_whole(
    tenfold, finished, write_test_csv
):
    for count in (30, 20):
        write_test_csv("test.csv", load("mnist5k").test.images[:count])
        assert tenfold("submit", finished, "test.csv").code == 0
    assert len(Path(finished, "submission.csv").read_text().splitlines()) == 21
    open_run(Path(finished))


def test_a_submission_on_pictures_that_were_trained_on_needs_to_be_asked_for(
    tenfold, finished, write_test_csv
):
    write_test_csv("test.csv", load("mnist5k").train.images[:30])
    refused = tenfold("submit", finished, "test.csv", "-o", "s.csv")
    assert refused.code == 3
    assert "30 of the 30 rows" in refused.err
    assert not Path("s.csv").exists()
    allowed = tenfold("submit", finished, "test.csv", "-o", "s.csv", "--allow-leak", "--json")
    assert json.loads(allowed.out)["submission"] == "s.csv"
    assert "nothing about new digits" in allowed.err


def test_compare_shows_both_runs_and_the_paired_test(tenfold, finished):
    shutil.copytree(finished, "twin")
    text = tenfold("compare", finished, "twin")
    assert text.code == 0
    assert "No difference found" in text.out
    assert tenfold("compare", finished, "twin", "--markdown").out.startswith("| ")
    found = json.loads(tenfold("compare", finished, "twin", "--json").out)
    assert [run["name"] for run in found["runs"]] == ["run", "twin"]
    assert found["pairs"][0]["mcnemar"]["p_value"] == 1.0


def test_the_page_about_two_runs_asks_their_models_and_that_is_on_record(tenfold, finished):
    shutil.copytree(finished, "twin")
    before = [open_run(Path(run)).record["test_openings"] for run in (finished, "twin")]
    outcome = tenfold("compare", finished, "twin", "--html", "both.html")
    assert outcome.code == 0
    page = Path("both.html").read_text()
    assert "How sure they are" in page
    after = [open_run(Path(run)).record["test_openings"] for run in (finished, "twin")]
    assert after == [count + 1 for count in before]


def test_a_page_that_cannot_be_written_opens_no_test_part(tenfold, finished):
    shutil.copytree(finished, "twin")
    refused = tenfold("compare", finished, "twin", "--html", "twin")
    assert refused.code == 2
    assert "received a folder" in refused.err
    assert open_run(Path("twin")).record["test_openings"] == 1


def test_without_its_digits_the_page_says_what_the_records_hold(tenfold, finished):
    shutil.copytree(finished, "twin")
    missing = tenfold("compare", finished, "twin", "--html", "both.html", "--data", "idx:nowhere")
    assert missing.code == 3
    assert not Path("both.html").exists()
    other = tenfold("compare", finished, "twin", "--html", "both.html", "--data", "uci-digits")
    assert other.code == 0
    assert "was trained on other digits" in other.err
    page = Path("both.html").read_text()
    assert "Digit by digit" in page
    assert "How sure they are" not in page


def test_an_ensemble_is_a_model_that_the_other_commands_take(tenfold, finished):
    outcome = tenfold("ensemble", finished, "-o", "models/shifted", "--shifts", "1", "--json")
    assert outcome.code == 0
    assert json.loads(outcome.out) == {"models": ["run"], "ensemble": "models/shifted"}
    assert "Next: tenfold evaluate models/shifted" in outcome.err
    found = json.loads(tenfold("evaluate", "models/shifted", "--data", "mnist5k", "--json").out)
    assert found["accuracy"]["total"] == 1000
    both = tenfold("ensemble", "models/shifted", finished, "-o", "both", "--shifts", "0")
    assert (both.code, both.out) == (0, "both\n")


def test_show_says_what_an_ensemble_is_made_of_and_what_an_answer_costs(tenfold, finished):
    shutil.copytree(finished, "twin")
    tenfold("ensemble", finished, "twin", "-o", "both", "--shifts", "2")
    lines = tenfold("show", "both").out.splitlines()
    # The layers of equal networks are shown once, below the names of both.
    assert lines[0] == "network_1, network_2"
    assert sum(line.startswith("dense_1") for line in lines) == 1
    cells = dict(line.split("  ", 1) for line in lines[-5:])
    assert cells["places of a picture"].strip() == "5, moved by 2 to each side"
    # Two networks of 52,650 numbers and 105,088 FLOPs, each asked five times.
    assert cells["parameters"].strip() == "105,300"
    assert cells["FLOPs an image"].strip() == "1,050,880"
    described = json.loads(tenfold("show", "both", "--as", "json").out)
    assert (len(described["networks"]), described["shifts"]) == (2, 2)
    assert tenfold("show", "both", "--as", "script").code == 7


def test_an_exported_onnx_file_tells_the_same_digits(tenfold, finished):
    outcome = tenfold("export", finished, "--format", "onnx", "--out", "new/digits.onnx")
    assert (outcome.code, outcome.out) == (0, "new/digits.onnx\n")
    ours = json.loads(tenfold("evaluate", finished, "--data", "mnist5k", "--json").out)
    theirs = json.loads(tenfold("evaluate", "new/digits.onnx", "--data", "mnist5k", "--json").out)
    assert theirs["confusion"] == ours["confusion"]


def test_an_export_without_a_name_is_called_after_its_run(tenfold, finished):
    outcome = tenfold("export", finished, "--format", "script", "--json")
    assert json.loads(outcome.out) == {"model": "run", "format": "script", "file": "run.py"}
    compile(Path("run.py").read_text(), "run.py", "exec")


def test_the_forms_are_measured_side_by_side(tenfold, finished, monkeypatch):
    from tenfold.exports import FORMS, measuring

    monkeypatch.setattr(measuring, "SECONDS", 0.0)
    monkeypatch.setattr(measuring, "FORMS", {name: FORMS[name] for name in ("onnx", "npz", "web")})
    outcome = tenfold("export", finished, "--benchmark")
    assert outcome.code == 0
    heads, *rows = (line.split() for line in outcome.out.splitlines())
    assert heads == ["form", "bytes", "one", "picture", "pictures/s", "accuracy"]
    assert [row[0] for row in rows] == ["onnx", "npz", "web"]
    run = open_run(Path(finished))
    assert str(run.test) in outcome.out
    assert "1,000 pictures of mnist5k" in outcome.err
    found = json.loads(tenfold("export", finished, "--benchmark", "--json").out)
    expected = {"correct": run.test.successes, "total": 1000}
    assert [form["accuracy"] for form in found["forms"]] == [expected, expected, None]


def test_an_export_that_disagrees_is_not_written(tenfold, finished, monkeypatch):
    from tenfold.modelfile import onnx_graph
    from tenfold.weights import initial_weights

    right = onnx_graph.to_onnx

    def wrong(members, **_):
        return right([(network, initial_weights(network, 1)) for network, _ in members])

    monkeypatch.setattr(onnx_graph, "to_onnx", wrong)
    outcome = tenfold("export", finished, "--format", "onnx", "--out", "digits.onnx")
    assert outcome.code == 8
    assert not Path("digits.onnx").exists()


@pytest.mark.parametrize("name", ["model/weights.safetensors", "history.jsonl", "run.json"])
def test_a_damaged_run_is_named_and_not_used(tenfold, finished, name):
    damaged = Path(finished, name)
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    outcome = tenfold("predict", finished, "mnist5k")
    assert (outcome.code, outcome.out) == (3, "")
    assert name in outcome.err
