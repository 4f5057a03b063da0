"""A training's process: its command, its threads, and what is known of it when it dies."""

import os
import signal
import sys
import time

import pytest

from tenfold.scaling import processes
from tenfold.scaling.processes import Process, code_hash, limits, train_command

from .conftest import PLAN, write_run


def ended(code: str, environment: dict[str, str] | None = None) -> Process:
    process = Process([sys.executable, "-c", code], environment or {})
    for _ in range(1_000):
        if process.ended():
            return process
        time.sleep(0.02)
    raise AssertionError("the process did not end")


def test_a_run_begins_with_its_settings_and_goes_on_with_its_record(tmp_path):
    command = train_command(PLAN, tmp_path / "seed-7", 7)
    assert command[0] == sys.executable
    assert command[command.index("train") + 1 :] == [
        "--data=mnist5k",
        f"--out={tmp_path / 'seed-7'}",
        "--recipe=seed-numpy",
        "--engine=numpy",
        "--epochs=3",
        "--seed=7",
    ]
    write_run(tmp_path / "seed-7", PLAN, 7, status="training")
    command = train_command(PLAN, tmp_path / "seed-7", 7)
    assert command[-3:] == ["--data=mnist5k", f"--out={tmp_path / 'seed-7'}", "--resume"]


def test_a_module_in_the_working_folder_is_not_taken_for_the_real_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "typing.py").write_text("raise SystemExit(9)")
    command = train_command(PLAN, tmp_path, 0)
    process = Process([*command[: command.index("train")], "--version"], {})
    assert "exit code 0" in process.complaint()


def test_the_environment_holds_the_limits_and_what_was_there(monkeypatch):
    monkeypatch.setenv("MARKER", "kept")
    code = "import os, sys; sys.exit(os.environ['OMP_NUM_THREADS'] + os.environ['MARKER'])"
    assert ended(code, limits(3)).complaint().endswith("Its last words: 3kept")
    assert limits(None) == {}


def test_a_blas_keeps_to_the_limit():
    code = (
        "import numpy, sys, threadpoolctl;"
        "sys.exit(str(max(i['num_threads'] for i in threadpoolctl.threadpool_info())))"
    )
    assert ended(code, limits(1)).complaint().endswith("Its last words: 1")


def test_the_sentence_of_an_error_is_the_reason():
    code = (
        "import sys; print('epoch 1/9', file=sys.stderr);"
        "sys.exit('error: runs: expected this, received that.')"
    )
    assert ended(code).complaint() == "runs: expected this, received that."


def test_a_crash_is_told_by_its_last_lines():
    complaint = ended(
        "import sys\nfor i in range(9): print(i)\nraise ValueError('odd')"
    ).complaint()
    assert complaint.startswith("The process ended with exit code 1. Its last words:")
    assert complaint.endswith("ValueError: odd")


def test_a_process_that_was_killed_is_told_by_the_signal():
    code = f"import os; os.kill(os.getpid(), {int(signal.SIGKILL)})"
    assert ended(code).complaint() == (
        "The process was killed by SIGKILL (what the system does when memory runs out). "
        "Its last words: none"
    )


@pytest.mark.parametrize("deaf", ["", "signal.signal(signal.SIGTERM, signal.SIG_IGN)"])
def test_a_stopped_process_is_gone(tmp_path, monkeypatch, deaf):
    monkeypatch.setattr("tenfold.scaling.processes._SECONDS_TO_END", 0.2)
    told = tmp_path / "pid"
    code = f"import os, signal, time; {deaf}\nopen({str(told)!r}, 'w').write(str(os.getpid()))\n"
    process = Process([sys.executable, "-c", code + "time.sleep(60)"], {})
    while not (told.exists() and told.read_text()):
        time.sleep(0.02)
    process.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(int(told.read_text()), 0)


def test_another_name_or_text_of_a_module_is_other_code(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "__file__", str(tmp_path / "scaling" / "processes.py"))
    (tmp_path / "data").mkdir()
    module = tmp_path / "data" / "idx.py"
    module.write_text("a = 1")
    hashes = [code_hash()]
    (tmp_path / "notes.txt").write_text("no code")
    assert code_hash() == hashes[0]
    module.write_text("a = 2")
    hashes.append(code_hash())
    module.rename(tmp_path / "data" / "npz.py")
    hashes.append(code_hash())
    assert len(set(hashes)) == 3
