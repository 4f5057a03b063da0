"""`tenfold train`: what it says, what it leaves, and how an interrupted one goes on."""

import json
import shlex
import signal
from datetime import date
from pathlib import Path

import pytest

from tenfold.cli import console
from tenfold.cli.progress import epoch_line, shown_epochs
from tenfold.training import EpochResult, open_run

QUICK = ("train", "--recipe", "seed-numpy", "--epochs", "1", "--data", "mnist5k")


def test_a_training_ends_with_figures_places_and_the_next_commands(tenfold):
    outcome = tenfold(*QUICK, "--seed", "7")
    folder = Path("runs", f"{date.today().isoformat()}-seed-numpy-mnist5k-s7")
    run = open_run(folder)
    assert outcome.code == 0
    for found in (str(run.test), str(run.validation), str(folder), str(folder / "report.html")):
        assert found in outcome.out
    assert (folder / "report.html").exists()
    for command in ("evaluate", "submit", "compare"):
        assert f"tenfold {command} {folder}" in outcome.err


def test_what_is_suspicious_is_said_when_it_is_found_and_whenever_the_run_is_shown(
    tenfold, finished
):
    run = open_run(Path(finished))
    results = run.record["results"]
    results["test"]["corrected"] = {"correct": 990, "total": 995}
    run.amend(results=results, warnings=["Something leaks."])
    outcome = tenfold("train", "--resume", "--out", finished)
    assert "Warning: Something leaks." in outcome.err
    # Wilson's interval of 990 of 995: the roots of (0.99497 - w)^2 = 1.96^2 w (1 - w) / 995.
    assert "by corrected labels  99.50% (990/995; 95 % CI 98.83% to 99.79%)" in outcome.out


def test_overrides_change_the_value_on_record_and_not_the_name(tenfold):
    assert tenfold(*QUICK, "--out", "here").code == 0
    recipe = open_run(Path("here")).record["recipe"]
    assert recipe["name"] == "seed-numpy"
    assert recipe["value"]["epochs"] == 1
    assert open_run(Path("here")).record["seed"] == 0


def test_patience_stops_early_and_the_best_epochs_weights_are_what_is_judged(tenfold):
    # On 3,200 images the validation loss has passed its lowest point well before 60 epochs.
    options = ("--recipe", "seed-numpy", "--data", "mnist5k", "--epochs", "60", "--patience", "2")
    assert tenfold("train", *options, "--out", "here").code == 0
    run = open_run(Path("here"))
    losses = [result.validation_loss for result in run.history]
    assert len(losses) == losses.index(min(losses)) + 1 + 2 < 60
    # float32 sums over 800 images in another order: the ONNX model's against the engine's.
    assert run.record["results"]["validation"]["log_loss"] == pytest.approx(min(losses), rel=1e-5)


def test_json_is_the_record_and_progress_goes_to_standard_error(tenfold):
    outcome = tenfold(*QUICK, "--out", "here", "--json")
    assert json.loads(outcome.out) == {"run": "here"} | open_run(Path("here")).record
    assert "epoch 1/1   loss " in outcome.err
    assert "epoch" not in outcome.out.splitlines()[0]


def test_where_mnist_cannot_be_had_the_last_words_say_so(tenfold, monkeypatch):
    monkeypatch.delenv("TENFOLD_MNIST", raising=False)
    monkeypatch.setattr("tenfold.data.mnist.sources", lambda: ())
    outcome = tenfold("train", "--recipe", "seed-numpy", "--epochs", "1")
    assert "mnist5k" in outcome.out
    note = outcome.err.partition("Note: ")[2]
    # mnist5k has 400 pictures of each digit to learn from, and 100 for the test.
    assert note.startswith("trained and tested on mnist5k, not on MNIST: 4,000 images")
    assert "1,000 to test" in note


def test_a_note_on_the_data_is_for_those_who_did_not_choose_them(tenfold):
    assert "Note:" not in tenfold(*QUICK).err


def test_an_interrupted_training_says_in_a_sentence_how_to_go_on_and_then_does(
    tenfold, monkeypatch
):
    def press_ctrl_c(message: str) -> None:
        if message.startswith("epoch 1/3"):
            signal.raise_signal(signal.SIGINT)
        said(message)

    said = console.say
    with monkeypatch.context() as patched:
        patched.setattr(console, "say", press_ctrl_c)
        interrupted = tenfold(*QUICK, "--epochs", "3", "--out", "my run")
    assert interrupted.code == 130
    assert interrupted.out == ""
    sentence = interrupted.err.strip().splitlines()[-1]
    command = sentence.removeprefix("Interrupted. Go on with: ")
    resumed = tenfold(*shlex.split(command)[1:])
    assert resumed.code == 0
    assert "epoch 2/3" in resumed.err
    assert "epoch 1/3" not in resumed.err
    assert len(open_run(Path("my run")).history) == 3


def test_resume_without_a_name_takes_the_unfinished_run(tenfold, unfinished, here):
    (here / "runs").mkdir()
    (here / unfinished).rename(here / "runs" / unfinished)
    outcome = tenfold("train", "--resume", "--json")
    assert outcome.code == 0
    assert json.loads(outcome.out)["run"] == str(Path("runs", unfinished))


def test_resuming_a_finished_run_shows_it_again(tenfold, finished):
    outcome = tenfold("train", "--resume", "--out", finished)
    assert outcome.code == 0
    assert str(open_run(Path(finished)).test) in outcome.out


def test_ctrl_c_before_anything_is_written_is_one_sentence(tenfold, here, monkeypatch):
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tenfold.verbs.load", interrupt)
    outcome = tenfold(*QUICK)
    assert (outcome.code, outcome.out) == (130, "")
    assert outcome.err.splitlines()[-1] == "Interrupted."
    assert list(here.iterdir()) == []


def test_an_interrupt_that_a_library_swallows_is_honoured_at_the_end_of_the_epoch(capsys):
    before = signal.getsignal(signal.SIGINT)
    result = EpochResult(1, 0.5, 0.25, 0.9, None, None)
    with pytest.raises(KeyboardInterrupt), shown_epochs(2) as on_epoch:  # noqa: PT012  one thing in steps
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        on_epoch(result)
    assert "epoch 1/2" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) is before


def test_an_epoch_in_a_line():
    alone = EpochResult(3, 1.306, 0.08124, 0.97524, None, None)
    assert epoch_line(alone, 20) == "epoch  3/20   loss 0.0812   accuracy 97.52%   1.31 s"
    judged = alone._replace(validation_loss=0.1, validation_accuracy=0.979)
    assert "   validation 97.90%   " in epoch_line(judged, 20)
