"""A training that is killed and resumed ends with the weights of one that was never stopped, bit for bit.

The kills are real: SIGKILL to another process, at moments this process chooses by chance.
"""

import hashlib
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tenfold.training import open_run

TRAIN = """
import sys
from pathlib import Path
import numpy as np
from tenfold import Adam, BatchNorm, Dense, Dropout, Network, Parts, ReLU, Recipe, load
from tenfold.training import resume, train

folder, engine, epochs = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
parts = Parts(load("mnist5k").train.take(np.arange(1_000)), None)
network = Network(Dense(48), BatchNorm(), ReLU(), Dropout(0.2), Dense(10))
recipe = Recipe(network, engine=engine, optimizer=Adam(), epochs=epochs)
tell = lambda result: print(result.epoch, flush=True)
if (folder / "run.json").exists():
    resume(folder, parts, on_epoch=tell, say=print)
else:
    train(recipe, parts, folder=folder, seed=5, on_epoch=tell)
"""


def start(folder: Path, engine: str, epochs: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", TRAIN, str(folder), engine, str(epochs)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(folder: Path, engine: str, epochs: int) -> list[int]:
    """Train to the end -> the epochs that this process trained."""
    process = start(folder, engine, epochs)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return [int(line) for line in out.split()]


def kill_after(folder: Path, engine: str, epochs: int, *, after: int, delay: float) -> None:
    """SIGKILL a training `delay` seconds after it has told of its `after`-th epoch."""
    process = start(folder, engine, epochs)
    for _ in range(after):
        process.stdout.readline()
    time.sleep(delay)
    process.kill()
    process.communicate()
    assert process.returncode == -9, "the training was over before it could be killed"


def outcome(folder: Path) -> tuple[str, list[tuple[float, float]]]:
    run = open_run(folder)
    weights = hashlib.sha256((folder / "model" / "weights.safetensors").read_bytes()).hexdigest()
    return weights, [(r.loss, r.validation_loss) for r in run.history]


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "epochs", "kills"), [("numpy", 60, 2), ("keras", 40, 2)])
def test_killed_and_resumed_is_never_stopped_bit_for_bit(tmp_path, engine, epochs, kills):
    assert finish(tmp_path / "straight", engine, epochs) == list(range(1, epochs + 1))
    chance = random.Random()
    for _ in range(kills):
        kill_after(
            tmp_path / "killed",
            engine,
            epochs,
            after=chance.randint(1, 6),
            delay=chance.random() / 20,
        )
    trained = finish(tmp_path / "killed", engine, epochs)
    assert 1 < trained[0] <= trained[-1] == epochs
    assert outcome(tmp_path / "killed") == outcome(tmp_path / "straight")
    left = [p.name for p in (tmp_path / "killed").rglob("*.tmp")]
    assert left == []
