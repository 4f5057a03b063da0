"""Command lines that cannot work: one sentence, the right exit code, and not a file touched."""

import errno
import hashlib
import shlex
from pathlib import Path

import pytest

from tenfold import errors

USAGE, DATA, MODEL = 2, 3, 7

# Beside these stand: run (finished), half (unfinished), notes.txt, other.csv (ten black pictures of a
# 0), and the folder full with a file in it.
MISTAKES = [
    ("trian", USAGE, "Did you mean 'train'"),
    ("--seed 3", USAGE, "--seed"),
    ("train extra", USAGE, "extra"),
    ("train --recipe cn", USAGE, "Did you mean 'cnn'"),
    ("train --recipe ''", USAGE, "empty"),
    ("train --recipe", USAGE, "--recipe"),
    ("train --sed 3", USAGE, "--seed"),
    ("train --epochs 0 --data mnist5k", USAGE, "received 0"),
    ("train --epochs -3 --data mnist5k", USAGE, "received -3"),
    ("train --epochs 99999999999999999999 --data mnist5k", USAGE, "epochs"),
    ("train --epochs two", USAGE, "--epochs"),
    ("train --epochs 1e3", USAGE, "--epochs"),
    ("train --seed -1 --data mnist5k", USAGE, "received -1"),
    ("train --seed 99999999999999999999 --data mnist5k", USAGE, "seed"),
    ("train --seed ''", USAGE, "--seed"),
    ("train --data mnits5k", USAGE, "Did you mean 'mnist5k'"),
    ("train --data mnist5k:3", USAGE, "mnist5k"),
    ("train --data kaggle:", USAGE, "kaggle:FILE.csv"),
    ("train --data ' '", USAGE, "empty"),
    ("train --data kaggle:missing.csv", DATA, "missing.csv"),
    ("train --data npz:notes.txt", DATA, "notes.txt"),
    ("train --data folder:full", DATA, "full"),
    ("train --out '' --data mnist5k", USAGE, "empty"),
    ("train --out notes.txt --data mnist5k", USAGE, "received a file"),
    ("train --out full --data mnist5k", USAGE, "holds other things"),
    ("train --out run --data mnist5k", USAGE, "a run stands here"),
    ("train --out notes.txt/run --data mnist5k --recipe seed-numpy --epochs 1", 1, "notes.txt"),
    ("train --engine pytorch", USAGE, "--engine"),
    ("train --backend theano", USAGE, "--backend"),
    ("train --recipe seed-numpy --backend jax", USAGE, "--engine keras"),
    ("train --resume", MODEL, "interrupted run"),
    ("train --resume --seed 3", USAGE, "--seed"),
    ("train --resume --out missing", MODEL, "missing"),
    ("train --resume --out half --data kaggle:other.csv", DATA, "half"),
    ("repeat", USAGE, "RECIPE"),
    ("repeat seed-numpy", USAGE, "--seeds"),
    ("repeat cn --seeds 2", USAGE, "Did you mean 'cnn'"),
    ("repeat seed-numpy --seeds 0", USAGE, "--seeds"),
    ("repeat seed-numpy --seeds 2 --jobs 0", USAGE, "--jobs"),
    ("repeat seed-numpy --seeds 2 --first-seed -1", USAGE, "--first-seed"),
    ("repeat seed-numpy --seeds 2 --first-seed 99999999999999999999", USAGE, "seed"),
    ("repeat seed-numpy --seeds 2 --epochs 0", USAGE, "received 0"),
    ("repeat seed-numpy --seeds 2 --backend jax", USAGE, "--engine keras"),
    ("repeat seed-numpy --seeds 2 --data mnits5k", USAGE, "Did you mean 'mnist5k'"),
    ("repeat seed-numpy --seeds 2 --out full", USAGE, "holds other things"),
    ("repeat seed-numpy --seeds 2 --out run", USAGE, "a run stands here"),
    ("repeat seed-numpy --seeds 2 --out notes.txt", USAGE, "received a file"),
    ("evaluate", USAGE, "MODEL"),
    ("evaluate ''", USAGE, "empty"),
    ("evaluate missing", MODEL, "missing"),
    ("evaluate missing.onnx", MODEL, "missing.onnx"),
    ("evaluate notes.txt", MODEL, "notes.txt"),
    ("evaluate full", MODEL, "full"),
    ("evaluate half", MODEL, "--resume --out half"),
    ("evaluate run run", USAGE, "run"),
    ("evaluate run --min-accuracy 98", USAGE, "0.98"),
    ("evaluate run --min-accuracy nan", USAGE, "--min-accuracy"),
    ("evaluate run --min-accuracy high", USAGE, "--min-accuracy"),
    ("evaluate run --data nowhere", USAGE, "nowhere"),
    ("evaluate run --data folder:missing", DATA, "missing"),
    ("audit -o new", USAGE, "DATA"),
    ("audit mnist5k", USAGE, "--out"),
    ("audit mnits5k -o new", USAGE, "Did you mean 'mnist5k'"),
    ("audit mnist5k --recipe cn -o new", USAGE, "Did you mean 'cnn'"),
    ("audit mnist5k --folds 1 -o new", USAGE, "--folds"),
    ("audit mnist5k --folds 3 --model run -o new", USAGE, "received both"),
    ("audit mnist5k --model '' -o new", USAGE, "empty"),
    ("audit mnist5k --model missing -o new", MODEL, "missing"),
    ("audit mnist5k --model half -o new", MODEL, "--resume --out half"),
    ("audit mnist5k --part validation -o new", USAGE, "--part"),
    ("audit kaggle:other.csv --part test -o new", USAGE, "--part"),
    ("audit mnist5k -o full", USAGE, "holds other things"),
    ("audit mnist5k -o notes.txt", USAGE, "received a file"),
    ("predict run", USAGE, "INPUT"),
    ("predict run ''", USAGE, "empty"),
    ("predict run missing.png", DATA, "missing.png"),
    ("predict run notes.txt", DATA, "notes.txt"),
    ("predict missing.png", DATA, "missing.png"),
    ("predict '*.png'", DATA, "*.png"),
    ("predict full", DATA, "letter.txt"),
    ("predict mnits5k", USAGE, "Did you mean 'mnist5k'"),
    ("predict run npz:notes.txt --out new/told.csv", DATA, "notes.txt"),
    ("predict rnu other.csv", MODEL, "rnu"),
    ("predict missing.onnx other.csv", MODEL, "missing.onnx"),
    ("predict --model notes.txt other.csv", MODEL, "notes.txt"),
    ("predict other.csv --format xml", USAGE, "--format"),
    ("predict other.csv --format csv --json", USAGE, "--json"),
    ("predict other.csv --reject-below 1", USAGE, "received 1"),
    ("predict other.csv --saw full", USAGE, "holds other things"),
    ("predict half mnist5k", MODEL, "--resume --out half"),
    ("predict - other.csv -", USAGE, "received it 2 times"),
    ("predict other.csv --out ./other.csv", USAGE, "would be lost"),
    ("predict kaggle:other.csv --out other.csv", USAGE, "would be lost"),
    ("predict run mnist5k --out full", USAGE, "received a folder"),
    ("predict run mnist5k --out notes.txt/told.csv", 1, "notes.txt"),
    ("submit run", USAGE, "TEST_CSV"),
    ("submit run missing.csv", DATA, "missing.csv"),
    ("submit run notes.txt", DATA, "notes.txt"),
    ("submit notes.txt run", MODEL, "notes.txt"),
    ("submit half notes.txt", MODEL, "--resume --out half"),
    ("submit run notes.txt -o full", USAGE, "received a folder"),
    ("submit run other.csv -o other.csv", USAGE, "would be lost"),
    ("compare", USAGE, "RUN"),
    ("compare run", USAGE, "at least two"),
    ("compare run half/../run", USAGE, "twice"),
    ("compare run full", MODEL, "full"),
    ("compare run half", MODEL, "half"),
    ("compare run half --json --markdown", USAGE, "--markdown"),
    ("ensemble -o new", USAGE, "MODEL"),
    ("ensemble run", USAGE, "--out"),
    ("ensemble run '' -o new", USAGE, "empty"),
    ("ensemble run run/model -o new", USAGE, "twice"),
    ("ensemble run -o new --shifts 5", USAGE, "received 5"),
    ("ensemble run -o new --shifts one", USAGE, "--shifts"),
    ("ensemble run -o full", USAGE, "holds other things"),
    ("ensemble run -o notes.txt", USAGE, "received a file"),
    ("ensemble run -o digits.onnx", USAGE, "tenfold export"),
    ("ensemble run half -o new", MODEL, "--resume --out half"),
    ("ensemble run missing.onnx -o new", MODEL, "missing.onnx"),
    ("export run", USAGE, "--format"),
    ("export", USAGE, "onnx-int8"),
    ("export run --format onx", USAGE, "Did you mean 'onnx'"),
    ("export run --format onnx --out full", USAGE, "received a folder"),
    ("export run --format onnx --out digits.pb", USAGE, ".onnx"),
    ("export run/model --format script", MODEL, "run"),
    ("export run --format onnx-int8 --out digits.tflite", USAGE, ".onnx"),
    ("export run --format web --out full", USAGE, "holds other things"),
    ("export run --format onnx --benchmark", USAGE, "--benchmark"),
    ("export half --benchmark", MODEL, "--resume --out half"),
    ("export half --format onnx", MODEL, "--resume --out half"),
    ("export missing --format onnx", MODEL, "missing"),
    ("export digits.onnx --format onnx", MODEL, "digits.onnx"),
    ("show", USAGE, "RECIPE"),
    ("show cnnn", USAGE, "Did you mean 'cnn'"),
    ("show cnn --as pdf", USAGE, "--as"),
    ("show half", MODEL, "--resume --out half"),
    ("show notes.txt", MODEL, "notes.txt"),
    ("recipes all", USAGE, "all"),
    ("data --xml", USAGE, "--xml"),
    ("doctor now", USAGE, "now"),
]  # fmt: skip


def tree(folder: Path) -> dict[str, str]:
    """Every path under a folder, but for locks, with the sha256 of what is in it."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else ""
        for path in folder.rglob("*")
        if path.name != ".lock"
    }


@pytest.fixture
def furnished(here, finished, unfinished):
    (here / "notes.txt").write_text("no digits, no model\n")
    header = ",".join(["label", *(f"pixel{i}" for i in range(784))])
    (here / "other.csv").write_text("\n".join([header, *[",".join(["0"] * 785)] * 10]) + "\n")
    (here / "full").mkdir()
    (here / "full" / "letter.txt").write_text("dear reader\n")
    return here


@pytest.mark.parametrize(("line", "code", "words"), MISTAKES, ids=lambda part: str(part)[:60])
def test_a_mistake_is_one_sentence_and_leaves_no_file(tenfold, furnished, line, code, words):
    before = tree(furnished)
    outcome = tenfold(*shlex.split(line))
    assert outcome.code == code
    assert outcome.out == ""
    complaint = outcome.err[outcome.err.rindex("error: ") :]
    assert words in complaint
    assert "Traceback" not in outcome.err
    assert "unexpected" not in complaint.replace("unexpected extra argument", "")
    assert tree(furnished) == before


LEAVES = [
    found
    for found in vars(errors).values()
    if isinstance(found, type) and issubclass(found, errors.TenfoldError)
]


@pytest.mark.parametrize("kind", LEAVES)
def test_each_error_ends_with_its_own_code_and_its_own_words(tenfold, monkeypatch, kind):
    def fail(_: str) -> None:
        raise kind("expected this, received that.")

    monkeypatch.setattr("tenfold.exports.describe", fail)
    assert tenfold("show", "cnn") == (kind.exit_code, "", "error: expected this, received that.\n")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "runs/x"), "runs/x: No space left"),
        (PermissionError(errno.EACCES, "Permission denied", "runs"), "runs: Permission denied"),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "a", None, "b"), "a -> b: Is a directory"),
        (MemoryError(), "not enough memory"),
        (KeyError("left"), "unexpected KeyError: 'left'"),
        (OSError("odd"), "unexpected OSError: odd"),
    ],
)  # fmt: skip
def test_what_nobody_raised_on_purpose_is_a_sentence_too(tenfold, monkeypatch, error, words):
    def fail(_: str) -> None:
        raise error

    monkeypatch.setattr("tenfold.exports.describe", fail)
    outcome = tenfold("show", "cnn")
    assert outcome.code == 1
    assert outcome.err.startswith("error: ")
    assert words in outcome.err
    assert outcome.err.count("\n") == 1


def test_ctrl_c_in_any_command_is_a_word_and_130(tenfold, monkeypatch):
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tenfold.exports.describe", interrupt)
    assert tenfold("show", "cnn") == (130, "", "Interrupted.\n")


def test_who_asks_for_the_traceback_gets_it(tenfold, monkeypatch):
    monkeypatch.setenv("TENFOLD_DEBUG", "1")
    outcome = tenfold("show", "cnnn")
    assert "Traceback" in outcome.err
    assert outcome.err.splitlines()[-1].startswith("error: No recipe")


def test_control_characters_of_a_name_are_shown_and_not_obeyed(tenfold):
    outcome = tenfold("evaluate", "\x1b[2Jmissing\r")
    assert "\\x1b[2Jmissing\\x0d" in outcome.err
    assert "\x1b" not in outcome.err
