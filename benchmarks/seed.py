"""The original network, measured: accuracy over seeds with both engines, seconds an epoch beside peers.

usage: python benchmarks/seed.py [SEEDS] [ROUNDS]

Claim: `seed` and `seed-numpy` (100 epochs, the recipe as it stands) reach the accuracy in
results/seed.json, and an epoch takes the time there, measured in turn with what else a user could run.
The test part is opened once by each run. Interrupted, it goes on where it was: finished runs stand in
runs/benchmarks/.
"""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from statistics import median

from ladder import measured
from peers import WAYS

from tenfold.files import write_json
from tenfold.statistics import summarise
from tenfold.training.environment import machine, versions

HERE = Path(__file__).parent
RECIPES = ("seed", "seed-numpy")


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
        "accuracy": {recipe: measured(recipe, seeds) for recipe in RECIPES},
        "epoch": {"images": 48_000, "batch_size": 32, "rounds": rounds, "ways": epochs(rounds)},
    }
    write_json(HERE.parent / "results" / "seed.json", result)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
