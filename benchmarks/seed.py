"""The original network, measured: accuracy over seeds with both engines, seconds an epoch beside peers.

usage: python benchmarks/seed.py [SEEDS] [ROUNDS]

Claim: `seed` and `seed-numpy` (100 epochs, the recipe as it stands) reach the accuracy in
results/seed.json, and an epoch takes the time there, measured in turn with what else a user could run.
The test part is opened once by each run, by `tenfold train`. Interrupted, it goes on where it was:
finished runs stand in runs/benchmarks/.
"""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from statistics import median

from peers import WAYS

from tenfold import Proportion, Run, open_run
from tenfold.errors import ModelError
from tenfold.files import write_json
from tenfold.statistics import summarise
from tenfold.training.environment import machine, versions

HERE = Path(__file__).parent
RECIPES = ("seed", "seed-numpy")


def trained(recipe: str, seed: int) -> Run:
    """The finished run of `recipe` with `seed`, trained by the command line if it is not there yet."""
    folder = HERE.parent / "runs" / "benchmarks" / f"{recipe}-s{seed}"
    try:
        return open_run(folder)
    except ModelError:
        pass
    again = ["--resume"] if (folder / "run.json").exists() else []
    options = ["--recipe", recipe, "--data", "mnist", "--seed", str(seed), "--out", str(folder)]
    given = ["--out", str(folder), *again] if again else options
    command = [str(Path(sys.executable).with_name("tenfold")), "train", *given]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return open_run(folder)


def accuracy(recipe: str, seeds: int) -> dict[str, object]:
    """Train `seeds` runs and put what they reached on record."""
    runs = [trained(recipe, seed) for seed in range(seeds)]
    tests = [run.test for run in runs]
    pooled = Proportion(sum(t.successes for t in tests), sum(t.total for t in tests))
    validations = [run.validation.share for run in runs]
    epoch_seconds = [median(result.seconds for result in run.history) for run in runs]
    return {
        "runs": [
            {"seed": run.record["seed"], "seconds": run.record["seconds"]} | run.record["results"]
            for run in runs
        ],
        "test_accuracy": summarise([t.share for t in tests])._asdict(),
        "validation_accuracy": summarise(validations)._asdict(),
        "pooled": {
            "correct": pooled.successes,
            "total": pooled.total,
            "interval": pooled.interval(),
        },
        "seconds_per_epoch": summarise(epoch_seconds)._asdict(),
        "training_seconds": summarise([r.record["seconds"]["training"] for r in runs])._asdict(),
        "epochs": runs[0].record["epochs"],
        "test_openings": [run.record["test_openings"] for run in runs],
        # Not where the files were, only what was in them.
        "data": {key: runs[0].record["data"][key] for key in ("name", "hash", "images")},
    }


def epochs(rounds: int) -> dict[str, object]:
    """Every way in turn, `rounds` times; an epoch's seconds are the median of a process, compilation left out."""
    medians: dict[str, list[float]] = {way: [] for way in WAYS}
    firsts: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way in WAYS:
            command = [sys.executable, str(HERE / "peers.py"), way]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            first, *others = json.loads(printed.splitlines()[-1])["seconds"]
            medians[way].append(median(others))
            firsts[way].append(first)
    return {
        way: {
            "seconds": summarise(medians[way])._asdict(),
            "first_epoch_seconds": median(firsts[way]),
        }
        for way in WAYS
    }


def main(seeds: int = 5, rounds: int = 5) -> None:
    """Measure all of it and write results/seed.json."""
    result = {
        "claim": "benchmarks/seed.py",
        "date": date.today().isoformat(),
        "machine": machine(),
        "versions": versions(),
        "accuracy": {recipe: accuracy(recipe, seeds) for recipe in RECIPES},
        "epoch": {"images": 48_000, "batch_size": 32, "rounds": rounds, "ways": epochs(rounds)},
    }
    write_json(HERE.parent / "results" / "seed.json", result)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
