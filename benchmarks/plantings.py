"""How often is a planted fault named first, and how often is a fault found where there is none?

usage: python benchmarks/plantings.py [BACKEND:SEED...] [--out results]

Claim: `tenfold.diagnose` names at least 95 % of the faults that tests/evaluation/diagnosis plants first, in at most 30
seconds each, and finds none in the healthy scripts there, also where the tests never look: on other images of MNIST, with
other seeds, on other backends of Keras. Each BACKEND:SEED is a process of its own; without any, those in RUNS. What was
measured before on the same day, machine and versions stays in the record.
"""

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

import tenfold
from tenfold import Proportion
from tenfold.files import read_json, write_json
from tenfold.randomness import stream
from tenfold.training.environment import machine, versions

ROOT = Path(__file__).resolve().parent.parent
RUNS = ("tensorflow:1", "jax:2")
SIZES = (3200, 800, 1000)
"""Images to train on, to validate with, to test with."""


def diagnosed(seed: int) -> dict[str, Any]:
    """Every planting and every healthy script with one seed, on the backend this process has."""
    sys.path.insert(0, str(ROOT / "tests" / "evaluation" / "diagnosis"))
    import plantings_in_arrays  # noqa: F401  fills the table
    import plantings_in_models  # noqa: F401  likewise
    import scripts
    from healthy import HEALTHY
    from planting import PLANTINGS

    scripts.SEED = seed
    arrays = _arrays(seed, scripts.Arrays)
    planted = {}
    for planting in PLANTINGS:
        chance = stream(seed, "planting", planting.name)
        name = f"{planting.cause}: {planting.name}"
        planted[name] = _asked(planting.plant(arrays, chance)) | {"cause": planting.cause}
        _say(name, planted[name])
    healthy = {}
    for script in HEALTHY:
        healthy[script.__name__] = _asked(script(arrays))
        _say(script.__name__, healthy[script.__name__])
    return _summed(planted, healthy)


def _arrays(seed: int, kind: Any) -> Any:
    """Images of MNIST's training part by chance."""
    digits = tenfold.load("mnist", say=lambda _: None).train
    rows = stream(seed, "plantings").permutation(len(digits))[: sum(SIZES)]
    cuts = np.cumsum(SIZES)[:-1]
    parts = np.split(rows, cuts)
    return kind(*((digits.images[r], digits.known_labels[r].astype(np.int64)) for r in parts))


def _asked(given: dict[str, Any]) -> dict[str, Any]:
    """What a diagnosis finds, in which order, and the CPU seconds it takes."""
    started = process_time()
    found = tenfold.diagnose(**given)
    seconds = process_time() - started
    return {
        "findings": [finding.cause for finding in found.findings],
        "faults": [finding.cause for finding in found.faults],
        "cpu_seconds": seconds,
    }


def _summed(planted: dict[str, Any], healthy: dict[str, Any]) -> dict[str, Any]:
    missed = {
        name: one["findings"]
        for name, one in planted.items()
        if one["findings"][:1] != [one["cause"]]
    }
    seconds = [one["cpu_seconds"] for one in (*planted.values(), *healthy.values())]
    return {
        "planted": len(planted),
        "named_first": len(planted) - len(missed),
        "named_otherwise": missed,
        "healthy": len(healthy),
        "healthy_with_faults": {
            name: one["faults"] for name, one in healthy.items() if one["faults"]
        },
        "cpu_seconds_median": float(np.median(seconds)),
        "cpu_seconds_most": max(seconds),
    }


def _say(name: str, one: dict[str, Any]) -> None:
    print(f"{name}: {one['findings'][:2]}, {one['cpu_seconds']:.1f} s", file=sys.stderr, flush=True)


def _in_a_process(run: str) -> dict[str, Any]:
    backend, _, seed = run.partition(":")
    command = [sys.executable, __file__, "--here", seed]
    # A core each: threads that wait for one another cost seconds too.
    alone = {"TF_NUM_INTRAOP_THREADS": "1", "OMP_NUM_THREADS": "1"}
    environment = os.environ | alone | {"KERAS_BACKEND": backend}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    found = dict(json.loads(done.stdout))
    print(f"{run}: {Proportion(found['named_first'], found['planted'])}")
    return found


def main() -> None:
    """Run each in a process of its own, all at a time, and write OUT/diagnosis.json."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", nargs="*", default=RUNS, metavar="BACKEND:SEED")
    parser.add_argument("--out", type=Path, default=ROOT / "results")
    parser.add_argument(
        "--here", type=int, metavar="SEED", help="in this process, to standard output"
    )
    chosen = parser.parse_args()
    if chosen.here is not None:
        print(json.dumps(diagnosed(chosen.here)))
        return
    # At a time: what is counted are seconds of the processor.
    with ThreadPoolExecutor() as pool:
        found = dict(zip(chosen.runs, pool.map(_in_a_process, chosen.runs), strict=True))
    record = {
        "claim": "benchmarks/plantings.py",
        "date": date.today().isoformat(),
        "machine": machine(),
        "versions": versions(),
    }
    target = chosen.out / "diagnosis.json"
    kept = dict(read_json(target)) if target.exists() else {}
    runs = kept.pop("runs", {})
    write_json(target, record | {"runs": (runs if kept == record else {}) | found})


if __name__ == "__main__":
    main()
