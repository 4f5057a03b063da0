"""The whole process: what it loads, what goes to which stream, what a terminal gets and a pipe does not."""

import json
import os
import resource
import select
import signal
import subprocess
import sys

import pytest

from tenfold.cli import run

HEAVY = (
    "numpy", "keras", "tensorflow", "jax", "torch", "pandas", "sklearn", "scipy", "onnx", "onnxruntime",
    "matplotlib", "PIL", "safetensors", "rich", "pydantic",
)  # fmt: skip
CALL = "import sys; from tenfold.cli import main; main(sys.argv[1:])"
CALL_AND_LIST = """
import json, sys
from tenfold.cli import run
code = run(json.loads(sys.argv[1]))
sys.stderr.write("\\n" + json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]))
"""

# A person's output is buffered, whatever the place that runs the tests prefers.
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if name not in ("NO_COLOR", "PYTHONUNBUFFERED")
}


def loaded_by(*arguments: str) -> set[str]:
    """The top-level packages in a process that has run one command line, which must succeed."""
    done = subprocess.run(
        [sys.executable, "-c", CALL_AND_LIST, json.dumps(arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    code, modules = json.loads(done.stderr.splitlines()[-1])
    assert code == 0
    return set(modules)


@pytest.mark.parametrize("line", ["--help", "train --help", "predict -h", "--version"])
def test_help_loads_nothing_heavy(line):
    assert loaded_by(*line.split()).isdisjoint(HEAVY)


@pytest.mark.parametrize("line", ["recipes", "data", "show cnn --as script"])
def test_lists_load_neither_an_engine_nor_a_runtime(here, line):
    assert loaded_by(*line.split()).isdisjoint(
        {"keras", "tensorflow", "jax", "torch", "onnx", "onnxruntime", "matplotlib", "sklearn"}
    )


@pytest.mark.parametrize("line", ["evaluate run", "predict run mnist5k", "submit run test.csv"])
def test_using_a_model_loads_neither_keras_nor_tensorflow(finished, line):
    with open("test.csv", "w") as file:
        file.write(",".join(f"pixel{i}" for i in range(784)) + "\n" + ",".join("0" * 784) + "\n")
    assert loaded_by(*line.split()).isdisjoint({"keras", "tensorflow", "jax", "torch"})


@pytest.mark.slow
def test_training_by_hand_loads_no_framework(here):
    line = "train --recipe seed-numpy --epochs 1 --data mnist5k"
    assert loaded_by(*line.split()).isdisjoint({"keras", "tensorflow", "jax", "torch", "rich"})


@pytest.mark.slow
def test_without_a_terminal_nothing_is_coloured_and_results_stay_apart(here):
    line = "train --recipe seed-numpy --epochs 2 --data mnist5k --out here --json"
    done = subprocess.run(
        [sys.executable, "-c", CALL, *line.split()], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["status"] == "done"
    assert [line for line in done.stderr.splitlines() if line.startswith("epoch 2/2   loss ")]
    assert "\x1b" not in done.stdout + done.stderr
    assert "\r" not in done.stderr


def at_a_terminal(line: str, **environment: str) -> str:
    """What a command line writes to standard error when that is a terminal."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", CALL, *line.split()],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env=ENVIRONMENT | {"TERM": "xterm"} | environment,
    )
    os.close(theirs)
    written = b""
    while select.select([ours], [], [], 30)[0]:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not part:
            break
        written += part
    process.wait(30)
    os.close(ours)
    return written.decode()


def test_a_terminal_gets_colour_unless_it_says_no():
    assert "\x1b[1;31merror:\x1b[0m" in at_a_terminal("show nosuch")
    assert "\x1b" not in at_a_terminal("show nosuch", NO_COLOR="1")
    assert "\x1b" not in at_a_terminal("show nosuch", TERM="dumb")


@pytest.mark.slow
def test_a_terminal_gets_a_bar_and_a_dumb_one_lines(here):
    line = "train --recipe seed-numpy --epochs 3 --data mnist5k"
    lively = at_a_terminal(line)
    assert "━" in lively
    assert "epoch 3/3   loss" in lively
    dull = at_a_terminal(line, TERM="dumb")
    assert "\x1b" not in dull
    assert "━" not in dull
    assert "epoch 3/3   loss" in dull


def test_a_reader_who_has_had_enough_is_not_complained_to(finished):
    # 4,000 lines are more than a pipe takes in (64 KiB on Linux).
    command = (
        f"{sys.executable} -c '{CALL}' predict run mnist5k mnist5k mnist5k mnist5k | head -n 1"
    )
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, check=True, env=ENVIRONMENT
    )
    assert len(done.stdout.splitlines()) == 1
    assert "rror" not in done.stderr


def test_a_full_disk_behind_standard_output_is_one_sentence(here):
    def allow_no_byte() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    with open("full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", CALL, "recipes"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=ENVIRONMENT,
            preexec_fn=allow_no_byte,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr == "error: standard output: File too large.\n"


def test_without_a_standard_error_nothing_strays_to_standard_output(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr", None)
    assert run(["show", "nosuch"]) == 2
    assert capsys.readouterr().out == ""


def test_ctrl_c_ends_a_training_with_130_and_the_command_that_goes_on(here):
    line = "train --recipe seed-numpy --epochs 10000 --data mnist5k"
    process = subprocess.Popen(
        [sys.executable, "-c", CALL, *line.split()],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    seen = next(line for line in process.stderr if line.startswith("epoch"))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert seen.startswith("epoch     1/10000")
    assert process.returncode == 130
    assert out == ""
    assert err.splitlines()[-1].startswith(
        "Interrupted. Go on with: tenfold train --resume --out runs/"
    )
    assert "Traceback" not in err
