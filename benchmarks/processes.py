"""Ways to do something, each in a process of its own, and all of them in turn.

A round runs every way once, and its number is the seed of each. A way is a command that prints one JSON
document, to which its seconds and its memory, measured from outside, are added. The ways of one group do
the same thing; the first of them is tenfold's.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tenfold import load
from tenfold.files import read_json

HERE = Path(__file__).resolve().parent
PEERS = HERE.parent / ".venv-peers" / "bin" / "python"

DIGITS = "mnist.npz"
"""What the ways learn from, in the folder that is theirs."""

Report = dict[str, Any]
"""What one process of a way found: figures by name, perhaps in dictionaries of their own."""


class Way(NamedTuple):
    """One way to do something.

    Attributes:
        command: seed -> what is run.
        read: what the command printed -> its Report.
        cores: how many it may use; 0 for all.
    """

    command: Callable[[int], list[str]]
    read: Callable[[str], Report] = json.loads
    cores: int = 0


Groups = Mapping[str, Mapping[str, Way]]
Reports = dict[str, dict[str, list[Report]]]


def silent(_: str) -> Report:
    """The Report of a command that says nothing of itself."""
    return {}


def tenfold(*words: object) -> list[str]:
    """A command line of tenfold's."""
    return [str(Path(sys.executable).with_name("tenfold")), *map(str, words)]


def ours(*words: object) -> list[str]:
    """A call of ways/with_tenfold.py, in tenfold's environment."""
    return [sys.executable, str(HERE / "ways" / "with_tenfold.py"), *map(str, words)]


def peer(script: str, *words: object) -> list[str]:
    """A call of a script of ways/, in the peers' environment."""
    return [str(PEERS), str(HERE / "ways" / script), *map(str, words)]


def options(about: str | None, *, rounds: int, recipe: str) -> argparse.ArgumentParser:
    """The arguments of every benchmark; `about` is its docstring."""
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--rounds", type=int, default=rounds, help=f"how often each way is run; {rounds}")
    add("--recipe", default=recipe, help=f"tenfold's side; {recipe}")
    add("--images", type=int, default=60_000, help="of MNIST to learn from; all")
    add("--out", type=Path, default=HERE.parent / "results", help="the folder of the record")
    return parser


def mnist_file(folder: Path, images: int) -> Path:
    """MNIST with the first `images` of its training part, as an .npz that every way can read."""
    train, test = load("mnist")
    path = folder / DIGITS
    arrays = {"x_train": train.images[:images], "y_train": train.known_labels[:images]}
    if test is not None:
        arrays |= {"x_test": test.images, "y_test": test.known_labels}
    np.savez(path, **arrays)
    return path


def quick_model(folder: Path, recipe: str) -> Path:
    """A run of one epoch on few digits: how fast a model answers does not depend on what it learned."""
    run = folder / "model"
    words = ("train", "--recipe", recipe, "--epochs", 1, "--data", "mnist5k", "--out", run)
    ran(Way(lambda _: tenfold(*words), silent))
    return run


def keras_file(model: Path) -> Path:
    """The same model as a .keras file, beside it."""
    path = model.with_suffix(".keras")
    ran(Way(lambda _: tenfold("export", model, "--format", "keras", "--out", path), silent))
    return path


def ran(way: Way, seed: int = 0) -> Report:
    """Run a way once; SystemExit with what it wrote to standard error if it fails."""
    command = way.command(seed)
    with tempfile.TemporaryDirectory() as folder:
        measured = Path(folder, "measured.json")
        launch = [sys.executable, "-I", "-S", str(HERE / "launch.py"), str(measured)]
        done = subprocess.run(
            [*launch, str(way.cores), *command], capture_output=True, text=True, cwd=folder
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
        return way.read(done.stdout) | read_json(measured)


def in_turn(groups: Groups, rounds: int) -> Reports:
    """Every way of every group once a round -> the reports of each."""
    if not PEERS.exists():
        raise SystemExit(f"expected {PEERS}, found none. `make bench` makes it.")
    reports: Reports = {group: {name: [] for name in ways} for group, ways in groups.items()}
    for seed in range(rounds):
        for group, ways in groups.items():
            for name, way in ways.items():
                report = ran(way, seed)
                reports[group][name].append(report)
                said = f"{report['process_seconds']:.1f} s, {report['peak_mib']:.0f} MiB"
                print(f"{seed + 1}/{rounds}  {group}: {name}  {said}", file=sys.stderr)
    return reports
