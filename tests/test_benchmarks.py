"""The benchmarks' own code: measuring from outside, summaries, calls that exist. Nothing is timed here."""

import ast
import importlib
import json
import math
import os
import re
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import tenfold
from tenfold.digits import Digits

ROOT = Path(__file__).parent.parent
BENCHMARKS = ROOT / "benchmarks"
SPEED = ("time_to_99", "time_to_report", "classical", "start_up", "throughput", "memory", "growth")


@pytest.fixture
def module(monkeypatch):
    """Import a module of benchmarks/ or benchmarks/ways/ by name, as its own directory's scripts do."""
    before = set(sys.modules)
    for folder in (BENCHMARKS, BENCHMARKS / "ways"):
        monkeypatch.syspath_prepend(str(folder))

    def imported(name: str) -> ModuleType:
        return importlib.import_module(name)

    yield imported
    for name in set(sys.modules) - before:
        # Their names are too common to stay.
        if str(BENCHMARKS) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def launched(tmp_path: Path, cores: int, code: str) -> tuple[int, str, dict[str, float]]:
    measured = tmp_path / "measured.json"
    launch = [sys.executable, "-I", "-S", BENCHMARKS / "launch.py", measured, str(cores)]
    done = subprocess.run([*launch, sys.executable, "-c", code], capture_output=True, text=True)
    return done.returncode, done.stdout, json.loads(measured.read_text())


def test_a_process_is_measured_from_outside(tmp_path):
    code, printed, found = launched(
        tmp_path, 0, "import time; held = b'x' * 200 * 2**20; time.sleep(0.2); print('done')"
    )
    assert (code, printed) == (0, "done\n")
    assert found["process_seconds"] >= 0.2
    assert 200 < found["peak_mib"] < 300


def test_its_peak_is_not_that_of_the_process_that_asked(tmp_path):
    held = b"x" * 400 * 2**20
    _, _, found = launched(tmp_path, 0, "pass")
    assert found["peak_mib"] < 100 < len(held) / 2**20


def test_exit_codes_and_signals_come_through(tmp_path):
    assert launched(tmp_path, 0, "raise SystemExit(3)")[0] == 3
    assert launched(tmp_path, 0, "import os; os.kill(os.getpid(), 9)")[0] == 128 + 9


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="cores are given out on Linux only"
)
def test_a_process_can_be_kept_to_one_core(tmp_path):
    asked = "import os; print(len(os.sched_getaffinity(0)))"
    assert launched(tmp_path, 1, asked)[1] == "1\n"
    assert launched(tmp_path, 0, asked)[1] == f"{len(os.sched_getaffinity(0))}\n"


def test_ways_run_in_turn_and_the_round_is_their_seed(module, monkeypatch, tmp_path):
    processes, log = module("processes"), tmp_path / "log"
    monkeypatch.setattr(processes, "PEERS", Path(sys.executable))

    def way(name):
        code = f"open({str(log)!r}, 'a').write({name!r}); print('{{\"figure\": %s}}')"
        return processes.Way(lambda seed: [sys.executable, "-I", "-c", code % f"{seed}.5"])

    reports = processes.in_turn(
        {"first": {"a": way("a"), "b": way("b")}, "second": {"c": way("c")}}, 2
    )
    assert log.read_text() == "abcabc"
    assert [report["figure"] for report in reports["first"]["b"]] == [0.5, 1.5]
    assert all(report["process_seconds"] > 0 for report in reports["second"]["c"])


def test_a_way_that_fails_says_why(module):
    processes = module("processes")
    failing = processes.Way(lambda _: [sys.executable, "-I", "-c", "raise SystemExit('no digits')"])
    with pytest.raises(SystemExit, match=r"ended with 1:\nno digits"):
        processes.ran(failing)


def test_without_the_peers_nothing_is_measured(module, monkeypatch, tmp_path):
    processes = module("processes")
    monkeypatch.setattr(processes, "PEERS", tmp_path / "none")
    with pytest.raises(SystemExit, match="make bench"):
        processes.in_turn({}, 1)


def test_figures_are_summarised_and_what_never_differs_stands_once(module):
    rounds = [
        {"seconds": 3.0, "test": {"correct": 99, "total": 100}, "by": "tensorflow"},
        {"seconds": 1.0, "test": {"correct": 98, "total": 100}, "by": "tensorflow"},
        {"seconds": 2.5, "test": {"correct": 99, "total": 100}, "by": "tensorflow"},
    ]
    found = module("record").summary(rounds)
    seconds = found["seconds"]
    assert (seconds["median"], seconds["minimum"], seconds["maximum"]) == (2.5, 1.0, 3.0)
    assert seconds["values"] == [3.0, 1.0, 2.5]
    assert found["test"] == {"correct": [99, 98, 99], "total": 100}
    assert found["by"] == "tensorflow"
    json.dumps(module("record").summary(rounds[:1]), allow_nan=False)


def test_ratios_are_of_medians_to_those_of_the_first_way(module):
    reports = {
        "tenfold": [{"seconds": 2.0, "rates": {"1": 8.0}, "own": 1.0}] * 2,
        "peer": [
            {"seconds": 5.0, "rates": {"1": 2.0}, "by": "x"},
            {"seconds": 7.0, "rates": {"1": 2.0}, "by": "x"},
        ],
        "silent": [{"nothing": 0.0}, {"nothing": 0.0}],
    }
    found = module("record").compared(reports)
    assert found["peer"]["times_first"] == {"seconds": 3.0, "rates": {"1": 0.25}}
    assert found["silent"]["times_first"] is None


def test_work_is_three_times_the_forward_flops(module):
    # 64-32-10 on 784 pixels, two operations a multiplication with a weight.
    forward = 2 * (784 * 64 + 64 * 32 + 32 * 10)
    training = [
        {"epochs": 2, "training_images": 5000, "training_seconds": s} for s in (1.0, 2.0, 9.0)
    ]
    reports = {"training": {"tenfold": training}, "limit": {"x": [{"flops_per_second": 4e9}]}}
    flops = module("record").work(Namespace(recipe="seed"), reports)["flops"]
    assert flops["image_forward"] == forward
    assert math.isclose(flops["training_a_second"], 3 * forward * 10_000 / 2)
    assert math.isclose(flops["share"], 3 * forward * 10_000 / 2 / 4e9)


@pytest.mark.slow
def test_a_run_is_read_from_what_the_command_line_prints(module, tmp_path):
    out = tmp_path / "run"
    words = [
        "train",
        "--recipe",
        "seed-numpy",
        "--epochs",
        "1",
        "--data",
        "mnist5k",
        "--out",
        str(out),
    ]
    command = [str(Path(sys.executable).with_name("tenfold")), *words, "--json"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    run, report = tenfold.open_run(out), module("time_to_report").of_run(printed)
    assert report["test"]["accuracy"] == run.test.share
    assert (report["test"]["correct"], report["test"]["total"]) == tuple(run.test)
    assert report["training_seconds"] == run.history[0].seconds


def test_the_table_of_speed_shows_medians_counts_and_ratios(module):
    def way(*seconds, correct):
        test = {"accuracy": 0.5, "correct": correct, "total": 1000}
        return [{"training_seconds": s, "training_seconds_with_compilation": 2 * s, "test": test}
                for s in seconds]  # fmt: skip

    reports = {"tenfold": way(1.0, 1.25, 9.0, correct=991), "peer": way(4.0, 5.0, 6.0, correct=990)}
    made_on = {
        "machine": {"cores": 2, "processor": "P"},
        "versions": {"python": "3.11", "keras": "3.15"},
        "peer_versions": {"torch": "2.13"},
        "date": "2026-01-01",
    }
    groups = {"training": module("record").compared(reports)}
    record = json.loads(json.dumps(made_on | {"groups": groups}))
    lines = module("speed").table({"time_to_99": record}.get).splitlines()
    assert lines[2].endswith(
        " tenfold: 1.25 s, 99.10% (2,973/3,000) | peer: 5.00 s, 99.00% (2,970/3,000) (4.00) |"
    )
    assert lines[3].endswith(" tenfold: 2.50 s | peer: 10.0 s (4.00) |")
    assert lines[4:] == [
        "",
        "Medians; 2 cores (P), Python 3.11, Keras 3.15, PyTorch 2.13; `make bench`, 2026-01-01.",
    ]


def test_without_records_there_is_no_table(module):
    assert module("speed").table({}.get) == ""


@pytest.mark.parametrize(
    ("value", "text"), [(0.01234, "0.0123"), (1.0, "1.00"), (98.76, "98.8"), (1234.5, "1,234")]
)
def test_three_digits_are_shown(module, value, text):
    assert module("speed").digits(value) == text


def test_answers_are_asked_for_in_every_size(module, monkeypatch):
    measuring, asked = module("measuring"), []
    monkeypatch.setattr(measuring, "AT_LEAST_SECONDS", 1e-3)
    monkeypatch.setattr(measuring, "SINGLE_CALLS", 5)
    found = measuring.answers(lambda images: asked.append(len(images)), np.zeros((5000, 28, 28)))
    assert set(asked) == set(measuring.SIZES)
    assert asked[-5:] == [1] * 5
    assert found["images_per_second"].keys() == {str(size) for size in measuring.SIZES}
    assert found["single_image_ms"] <= found["single_image_ms_99th_percentile"]


def test_right_answers_are_counted(module):
    told = module("measuring").tested(np.array([1, 2, 3, 4]), np.array([1, 2, 3, 0]))
    assert told == {"accuracy": 0.75, "correct": 3, "total": 4}


def test_digits_grow_by_moved_copies(module):
    images = np.zeros((30, 28, 28), np.uint8)
    images[np.arange(30), 10, 10] = np.arange(30) + 1
    digits = Digits(images, np.arange(30, dtype=np.uint8) % 10, "drawn")
    many = module("with_tenfold").grown(digits, 75)
    assert len(many) == 75
    assert np.array_equal(many.images[:30], images)
    assert np.array_equal(many.images[30:60], np.roll(images, 1, axis=2))
    assert np.array_equal(many.images[60:], np.roll(images, -1, axis=2)[:15])
    assert np.array_equal(many.known_labels, np.tile(digits.known_labels, 3)[:75])


def functions_of(script: Path) -> dict[str, int]:
    """Name -> number of arguments, of all functions at the top of a script."""
    tree = ast.parse(script.read_text())
    return {f.name: len(f.args.args) for f in tree.body if isinstance(f, ast.FunctionDef)}


@pytest.mark.parametrize("name", SPEED)
def test_every_way_calls_what_its_script_offers(name, module, monkeypatch, tmp_path):
    processes = module("processes")
    monkeypatch.setattr(processes, "load", lambda _: tenfold.load("mnist5k"))
    monkeypatch.setattr(processes, "ran", lambda *_: {})
    chosen = Namespace(recipe="cnn", images=100, epochs=2, sizes=(50, 200))
    groups = module(name).groups(chosen, tmp_path)
    commands = [way.command(7) for ways in groups.values() for way in ways.values()]
    called = [command for command in commands if "ways" in Path(command[1]).parts]
    assert all(isinstance(word, str) for command in commands for word in command)
    for _, script, function, *arguments in called:
        assert functions_of(Path(script))[function] == len(arguments), (script, function)
        assert function in Path(script).read_text().split("run_way(")[-1]
    assert called
    rows = [row for row in module("speed").ROWS if row.record == name]
    assert rows
    assert {row.group for row in rows} <= groups.keys()
    code = "".join(path.read_text() for path in BENCHMARKS.rglob("*.py") if path.stem != "speed")
    assert all(f'"{row.figure[0]}"' in code for row in rows)


def test_every_benchmark_that_is_run_is_explained():
    run = re.search(r"^BENCHMARKS := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert run is not None
    assert set(SPEED) <= set(run[1].split())
    explained = re.findall(
        r"^\| `(\w+)\.py` \|", (BENCHMARKS / "README.md").read_text(), re.MULTILINE
    )
    assert set(run[1].split()) <= set(explained)
    assert all((BENCHMARKS / f"{name}.py").exists() for name in explained)


def test_every_peer_has_one_version():
    lines = (BENCHMARKS / "peers.txt").read_text().splitlines()
    pinned = (ROOT / "constraints.txt").read_text()
    for line in lines:
        if (found := re.match(r"[a-z][\w-]*", line)) and "==" not in line:
            assert re.search(rf"^{found[0]}==", pinned, re.MULTILINE), line
    assert "-c ../constraints.txt" in lines


def test_a_recipe_is_worse_only_where_chance_does_not_explain_it(module):
    reproduce = module("reproduce")
    known = [0.9910, 0.9912, 0.9914, 0.9916, 0.9913]
    assert not reproduce.compared([a + 0.0001 for a in reversed(known)], known)[1]
    assert not reproduce.compared([a + 0.005 for a in known], known)[1]
    difference, worse = reproduce.compared([a - 0.005 for a in known], known)
    assert worse
    assert difference.mean == pytest.approx(-0.005)
