"""`tenfold repeat`, and `tenfold compare` of what it leaves: figures, failures, interrupts.

The quick tests put runs made by hand in the place of trainings; the slow ones start real processes.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from tenfold import verbs
from tenfold.errors import UsageError
from tenfold.scaling import open_repeat, repeat
from tenfold.training import open_run, read_record

QUICK = ("repeat", "seed-numpy", "--epochs", "2", "--data", "mnist5k")
CALL = (sys.executable, "-c", "import sys; from tenfold.cli import main; main(sys.argv[1:])")


class Copies:
    """Each training is a copy of one finished run with its own seed, or dies with a complaint."""

    def __init__(self, run: Path) -> None:
        self._run, self.complaints = run, {}

    def __call__(self, _plan, place, seed, _environment):
        self._place, self._seed = place, seed
        return self

    def ended(self) -> bool:
        return True

    def complaint(self) -> str:
        if self._seed not in self.complaints:
            shutil.copytree(self._run, self._place)
            open_run(self._place).amend(seed=self._seed)
        return self.complaints.get(self._seed, "")

    def stop(self) -> None:
        pass


@pytest.fixture
def copies(finished_once, monkeypatch):
    trainings = Copies(finished_once)
    monkeypatch.setattr(verbs, "repeat_plan", partial(repeat, start=trainings))
    return trainings


@pytest.mark.usefixtures("copies")
def test_figures_go_to_standard_output_and_each_seed_to_standard_error(tenfold):
    outcome = tenfold(*QUICK, "--seeds", "3", "--first-seed", "4")
    folder = Path("runs", "repeats", "seed-numpy-mnist5k")
    result = open_repeat(folder)
    assert outcome.code == 0
    assert outcome.out == f"{result}\n"
    assert result.finished == (4, 5, 6)
    for number, seed in enumerate((4, 5, 6), 1):
        assert f"seed {seed} ({number} of 3): " in outcome.err
    assert f"tenfold compare {folder} ANOTHER_REPEAT" in outcome.err


@pytest.mark.usefixtures("copies")
def test_json_is_what_the_file_holds(tenfold):
    outcome = tenfold(*QUICK, "--seeds", "2", "--out", "r", "--json")
    assert json.loads(outcome.out) == {"repeat": "r"} | open_repeat("r").json()


def test_a_failed_seed_is_shown_and_ends_with_1(tenfold, copies):
    copies.complaints[1] = "The process was killed by SIGKILL."
    outcome = tenfold(*QUICK, "--seeds", "3", "--out", "r")
    assert outcome.code == 1
    assert "0 to 2: 2 finished, 1 failed" in outcome.out
    assert "seed 1 failed" in outcome.out
    assert "The process was killed by SIGKILL." in outcome.out
    assert outcome.err.splitlines()[-1].startswith("error: 1 of 3 seeds failed")
    copies.complaints.clear()
    assert tenfold(*QUICK, "--seeds", "3", "--out", "r").code == 0


@pytest.mark.usefixtures("copies")
def test_another_recipe_in_the_same_folder_is_a_sentence(tenfold):
    assert tenfold(*QUICK, "--seeds", "1").code == 0
    other = tenfold("repeat", "seed-numpy", "--epochs", "3", "--data", "mnist5k", "--seeds", "1")
    assert (other.code, other.out) == (2, "")
    assert "Name another folder with --out" in other.err


@pytest.mark.usefixtures("copies")
def test_two_repeats_are_compared_over_seeds(tenfold, finished):
    for name in ("a", "b"):
        assert tenfold(*QUICK, "--seeds", "2", "--out", name).code == 0
    outcome = tenfold("compare", "a", "b")
    assert outcome.code == 0
    assert "0 to 1 (0 failed)" in outcome.out
    assert "No difference found on the test part (n = 2 pairs of one seed" in outcome.out
    payload = json.loads(tenfold("compare", "a", "b", "--json").out)
    assert payload["test"]["mean"] == 0
    for line in (("a", "b", "--markdown"), ("a", "b", finished)):
        refused = tenfold("compare", *line)
        assert (refused.code, refused.out) == (2, "")
    mixed = tenfold("compare", "a", finished)
    assert mixed.code == 7
    assert "run: expected the folder of a repeat" in mixed.err


def test_only_changes_that_a_process_can_be_told_of_are_taken():
    with pytest.raises(UsageError, match="received batch_size"):
        verbs.repeat("seed-numpy", "mnist5k", seeds=range(2), batch_size=64)
    for seeds, jobs in ((range(0), 1), (range(2), 0)):
        with pytest.raises(UsageError, match="at least one seed and one job"):
            verbs.repeat("seed-numpy", "mnist5k", seeds=seeds, jobs=jobs)


@pytest.mark.slow
def test_real_processes_train_what_train_trains_bit_for_bit(tenfold):
    outcome = tenfold(*QUICK, "--seeds", "2", "--jobs", "2", "--out", "r")
    assert outcome.code == 0, outcome.err
    line = ("train", "--recipe", "seed-numpy", "--epochs", "2", "--data", "mnist5k", "--seed", "1")
    assert tenfold(*line, "--out", "alone").code == 0
    alone, one_of_two = (
        Path(run, "model", "weights.safetensors").read_bytes() for run in ("alone", "r/seed-1")
    )
    # The NumPy engine multiplies in one thread, however many cores there are.
    assert alone == one_of_two


@pytest.mark.slow
def test_ctrl_c_stops_the_processes_and_leaves_their_runs_to_be_gone_on_with(here):
    line = "repeat seed-numpy --epochs 10000 --data mnist5k --seeds 3 --jobs 2 --out r"
    process = subprocess.Popen(
        [*CALL, *line.split()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What a shell starts in the background ignores Ctrl-C, and so does all that comes of it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    histories = [Path("r", f"seed-{seed}", "history.jsonl") for seed in (0, 1)]
    wait_until(lambda: all(history.exists() for history in histories))
    process.send_signal(signal.SIGINT)  # to this process alone, as `kill -INT` does
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert err.splitlines()[-1] == (
        "Interrupted: 0 of 3 seeds are finished. The same command goes on."
    )
    lengths = [history.stat().st_size for history in histories]
    assert read_record(Path("r", "seed-0"))["status"] == "training"
    # Nobody writes there any more, so their locks are free and their histories do not grow.
    time.sleep(0.5)
    assert [history.stat().st_size for history in histories] == lengths


@pytest.mark.slow
def test_a_killed_process_harms_no_other(here):
    line = "repeat seed-numpy --epochs 15 --data mnist5k --seeds 2 --jobs 2 --out r"
    process = subprocess.Popen(
        [*CALL, *line.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_until(lambda: Path("r/seed-1/run.json").exists())
    os.kill(child_of(process.pid, "--out=r/seed-1"), signal.SIGKILL)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1, err
    assert "0 to 1: 1 finished, 1 failed" in out
    assert "killed by SIGKILL" in out
    again = subprocess.run([*CALL, *line.split()], capture_output=True, text=True, check=True)
    assert "0 to 1: 2 finished, 0 failed" in again.stdout
    assert len(open_run(Path("r/seed-1")).history) == 15


def wait_until(there, *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end
        time.sleep(0.02)


def child_of(parent: int, argument: str) -> int:
    """The process with this argument that `parent` started (Linux)."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return next(
        int(child)
        for child in children
        if argument in Path(f"/proc/{child}/cmdline").read_text().split("\0")
    )
