"""`tenfold predict`: what is told, in which form, and what of it when something cannot be read."""

import csv
import io
import json
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tenfold.data import load
from tenfold.modelfile import open_classifier, pretrained
from tenfold.pictures import canonical

TEST = load("mnist5k").test
CALL = "import sys; from tenfold.cli import main; main(sys.argv[1:])"


def read_csv(path: str) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def pictures(here: Path) -> Path:
    """Three pictures of digits as people have them, in folders: 5.png, deep/8.png, deep/dark.png."""
    folder = here / "pictures"
    (folder / "deep").mkdir(parents=True)
    (folder / ".DS_Store").write_bytes(b"of the system")
    for name, number in (("5.png", 15), ("deep/8.png", 8)):
        # Dark ink on white paper, five times as large.
        large = 255 - np.kron(TEST.images[number], np.ones((5, 5), np.uint8))
        Image.fromarray(large).save(folder / name)
    Image.new("L", (40, 40), 0).save(folder / "deep" / "dark.png")
    return folder


def test_a_row_has_source_number_digit_and_confidence(tenfold, finished, write_test_csv):
    write_test_csv("some.csv", TEST.images[:20])
    probabilities = open_classifier(Path(finished)).predict_proba(TEST.images[:20])
    for line in ("predict run some.csv", "predict some.csv --model run"):
        lines = tenfold(*line.split()).out.splitlines()
        for row, line in enumerate(lines):
            digit = probabilities[row].argmax()
            assert line == f"some.csv\t{row}\t{digit}\t{probabilities[row, digit]:.4f}"
    found = json.loads(tenfold("predict", finished, "some.csv", "mnist5k", "--json").out)
    assert len(found["predictions"]) == 20 + 1000
    assert found["predictions"][3]["probabilities"] == probabilities[3].tolist()


def test_without_a_model_the_one_in_the_box_is_asked(tenfold, write_test_csv):
    write_test_csv("some.csv", TEST.images[:20])
    found = json.loads(tenfold("predict", "some.csv", "--json").out)
    expected = pretrained().predict_proba(TEST.images[:20])
    assert found["model"] == "pretrained"
    assert [row["probabilities"] for row in found["predictions"]] == expected.tolist()


def test_every_picture_of_a_folder_is_told_under_its_own_name(tenfold, pictures):
    expected = {"pictures/5.png": "5", "pictures/deep/8.png": "8"}
    for words in (["pictures"], ["pictures/5.png", "pictures/deep"], ["pictures/**/*.png"]):
        cells = [line.split("\t") for line in tenfold("predict", *words).out.splitlines()]
        told = {source: (row, digit) for source, row, digit, _ in cells}
        assert told.pop("pictures/deep/dark.png") == ("0", "not a digit")
        assert told == {source: ("0", digit) for source, digit in expected.items()}


def test_what_is_no_digit_is_called_that_in_every_form(tenfold, pictures):
    dark = "pictures/deep/dark.png"
    assert tenfold("predict", dark).out.split("\t")[2] == "not a digit"
    tenfold("predict", dark, "-o", "told.csv")
    assert read_csv("told.csv")[0]["digit"] == "not a digit"
    (row,) = json.loads(tenfold("predict", dark, "--json").out)["predictions"]
    assert row["digit"] is None
    assert row["most_likely"] == int(np.argmax(row["probabilities"]))
    always = tenfold("predict", dark, "--reject-below", "0").out
    assert always.split("\t")[2] == str(row["most_likely"])


def test_all_forms_tell_the_same(tenfold, write_test_csv):
    write_test_csv("some.csv", TEST.images[:300])
    expected = json.loads(tenfold("predict", "some.csv", "--json").out)["predictions"]
    assert len(expected) == 300
    for name in ("told.json", "told.jsonl"):
        assert tenfold("predict", "some.csv", "-o", name).out == f"{name}\n"
    assert json.loads(Path("told.json").read_text())["predictions"] == expected
    assert [json.loads(line) for line in Path("told.jsonl").read_text().splitlines()] == expected
    tenfold("predict", "some.csv", "-o", "told.csv")
    shown = tenfold("predict", "some.csv", "--format", "csv").out
    assert Path("told.csv").read_text() == shown
    told = [
        (row["source"], int(row["row"]), int(row["most_likely"]), row["confidence"])
        for row in csv.DictReader(io.StringIO(shown))
    ]
    assert told == [
        (row["source"], row["row"], row["most_likely"], f"{row['confidence']:.4f}")
        for row in expected
    ]


def test_what_the_model_saw_is_written_picture_by_picture(tenfold, pictures, write_test_csv):
    write_test_csv("some.csv", TEST.images[:2])
    found = json.loads(
        tenfold("predict", "pictures/5.png", "some.csv", "--json", "--saw", "new/seen").out
    )
    names = [row["saw"] for row in found["predictions"]]
    assert names == [
        "new/seen/000001-5.png",
        "new/seen/000002-some.png",
        "new/seen/000003-some.png",
    ]
    seen = [np.asarray(Image.open(name)) for name in names]
    original = np.asarray(Image.open("pictures/5.png"))
    np.testing.assert_array_equal(seen[0], canonical(original))
    np.testing.assert_array_equal(seen[1:], TEST.images[:2])


def test_one_name_is_not_for_a_file_and_a_folder(tenfold, pictures):
    outcome = tenfold("predict", "pictures/5.png", "--out", "same.csv", "--saw", "./same.csv")
    assert outcome.code == 2
    assert "Give them two names" in outcome.err
    assert not Path("same.csv").exists()


def test_one_bad_file_among_many_is_named_and_costs_nothing_of_the_others(tenfold, pictures):
    (pictures / "6.png").write_bytes(b"GIF89a, cut off")
    outcome = tenfold("predict", "pictures", "missing.jpg", "--out", "told.json")
    assert outcome.code == 3
    assert outcome.err.count("error: ") == 2
    assert "3 pictures told; 2 of the inputs" in outcome.err.splitlines()[-1]
    found = json.loads(Path("told.json").read_text())
    assert [row["source"][9:] for row in found["predictions"]] == [
        "5.png",
        "deep/8.png",
        "deep/dark.png",
    ]
    assert [each["source"] for each in found["unread"]] == ["pictures/6.png", "missing.jpg"]


def test_where_nothing_could_be_read_json_says_so_and_no_file_is_made(tenfold, pictures):
    outcome = tenfold("predict", "missing.jpg", "--json")
    found = json.loads(outcome.out)
    assert (outcome.code, found["predictions"]) == (3, [])
    assert [each["source"] for each in found["unread"]] == ["missing.jpg"]
    assert tenfold("predict", "missing.jpg", "--out", "told.json").code == 3
    assert not Path("told.json").exists()


def test_the_name_of_nothing_is_no_file_and_no_data_set(tenfold):
    outcome = tenfold("predict", "digitz")
    assert outcome.code == 2
    assert "digitz: there is no such file or folder: check the path." in outcome.err
    assert "Did you mean 'uci-digits'?" in outcome.err


@pytest.mark.parametrize("form", ["csv", "json", "jsonl"])
def test_a_file_holds_whole_inputs_only(tenfold, write_test_csv, form):
    write_test_csv("good.csv", TEST.images[:200])
    write_test_csv("bad.csv", TEST.images[:400])
    with open("bad.csv", "a") as file:
        file.write("1,2,3\n")
    for line in (
        "predict bad.csv good.csv bad.csv good.csv -o with",
        "predict good.csv good.csv -o without",
    ):
        outcome = tenfold(*f"{line}.{form}".split())
    assert outcome.code == 0
    with_bad, without = (Path(f"{name}.{form}").read_text() for name in ("with", "without"))
    assert with_bad.partition('"unread"')[0] == without.partition('"unread"')[0]


def test_the_screen_has_the_rows_before_the_fault_and_then_the_fault(tenfold, write_test_csv):
    write_test_csv("bad.csv", TEST.images[:400])
    with open("bad.csv", "a") as file:
        file.write("1,2,3\n")
    outcome = tenfold("predict", "bad.csv")
    assert outcome.code == 3
    assert "bad.csv:402: expected 784 numbers" in outcome.err
    rows = [int(line.split("\t")[1]) for line in outcome.out.splitlines()]
    # The last of its blocks of 256 KiB is not told.
    assert rows == list(range(len(rows)))
    assert 0 < len(rows) < 400


def test_where_nothing_could_be_told_no_file_is_left(tenfold, write_test_csv, here):
    write_test_csv("bad.csv", TEST.images[:400])
    with open("bad.csv", "a") as file:
        file.write("1,2,3\n")
    assert tenfold("predict", "bad.csv", "-o", "told.csv").code == 3
    assert [path.name for path in here.iterdir()] == ["bad.csv"]


@pytest.mark.parametrize("what", ["a picture", "rows", "rows without a header", "neither"])
def test_standard_input_is_a_picture_or_rows(here, pictures, write_test_csv, what):
    write_test_csv("some.csv", TEST.images[:3])
    rows = Path("some.csv").read_bytes()
    content = {
        "a picture": (pictures / "5.png").read_bytes(),
        "rows": rows,
        "rows without a header": rows.partition(b"\n")[2],
        "neither": b"dear reader",
    }[what]
    done = subprocess.run(
        [sys.executable, "-c", CALL, "predict", "-"], input=content, capture_output=True
    )
    digits = [line.split("\t")[2] for line in done.stdout.decode().splitlines()]
    expected = {"a picture": ["5"], "neither": []}.get(what, ["0", "1", "2"])
    assert (done.returncode, digits) == (3 if what == "neither" else 0, expected)
    if what == "neither":
        assert done.stderr.startswith(b"error: standard input: expected a picture")


def test_what_is_suggested_is_short_and_can_be_run(tenfold, pictures):
    picture = (pictures / "5.png").read_bytes()
    names = ["-5.png", *(f"{number}.png" for number in range(100))]
    for name in names:
        Path(name).write_bytes(picture)
    (last,) = tenfold("predict", "--", *names).err.splitlines()
    assert last.startswith("Next: tenfold ")
    assert len(last) < 80
    words = shlex.split(last.removeprefix("Next: tenfold "))
    again = tenfold(*words)
    assert (again.code, again.out.split("\t")[2]) == (0, "5")


def test_a_tab_in_a_name_does_not_make_a_column(tenfold, write_test_csv):
    write_test_csv("a\tb.csv", TEST.images[:1])
    assert tenfold("predict", "a\tb.csv").out.startswith("a\\x09b.csv\t0\t")


def test_predictions_in_a_csv_file_cannot_become_formulas(tenfold, here, write_test_csv):
    for name in ("=1+1.csv", "+a.csv", "@b, c.csv", "plain.csv"):
        write_test_csv(name, TEST.images[:1])
    names = [path.name for path in sorted(here.glob("*.csv"))]
    assert tenfold("predict", *names, "--out", "new/told.csv").out == "new/told.csv\n"
    rows = read_csv("new/told.csv")
    assert [row["source"] for row in rows] == ["'+a.csv", "'=1+1.csv", "'@b, c.csv", "plain.csv"]
    assert {row["row"] for row in rows} == {"0"}


MEMORY = """
import re, sys
from tenfold.cli import run
code = run(["predict", sys.argv[1], "--out", "told.csv"])
print(code, re.search("VmHWM:\\s+([0-9]+) kB", open("/proc/self/status").read())[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell")
def test_ten_times_the_rows_need_no_more_memory(here, write_test_csv):
    def peak(copies: int) -> int:
        write_test_csv("some.csv", np.tile(TEST.images, (copies, 1, 1)))
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, "some.csv"], capture_output=True, text=True, check=True
        )
        code, kilobytes = done.stdout.split()[-2:]
        assert code == "0"
        return int(kilobytes)

    small, large = peak(2), peak(20)
    # 18,000 rows more are 14 MB of pixels and 33 MB of text.
    assert large - small < 8_000
