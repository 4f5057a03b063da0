"""A recipe with many seeds, on record: accuracy, time and what it was measured with.

usage: python benchmarks/ladder.py RECIPE SEEDS [JOBS]

Claim: with seeds 0..SEEDS-1 the recipe reaches the mean accuracy in results/RECIPE.json, in the seconds
there; with JOBS above 1, seconds are those of runs that shared the cores. The weights are the last ones (or
their average), and each run opens the test part once. Interrupted, it goes on where it was: finished
runs stand in runs/benchmarks/RECIPE/.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from tenfold import repeat
from tenfold.files import write_json
from tenfold.scaling.processes import code_hash

ROOT = Path(__file__).resolve().parent.parent
CODE = ("src", "pyproject.toml", "constraints.txt")
"""What decides a run's outcome; that it is as committed is part of the record."""


def runs_of(name: str) -> Path:
    """Where the runs behind results/NAME.json stand; relative, so that no path of this machine gets into a record."""
    return Path(os.path.relpath(ROOT / "runs" / "benchmarks" / name))


def measured(recipe: str, seeds: int, jobs: int = 1) -> dict[str, Any]:
    """Train the recipe on MNIST with the seeds that are missing -> what all of them gave."""
    return repeat(recipe, "mnist", seeds=range(seeds), jobs=jobs, out=runs_of(recipe)).json()


def code() -> dict[str, Any]:
    """The code there is: its hash, the commit that is checked out, and whether the two agree.

    A run was trained by this code if the hash of its attempts is the same. Without git commit and
    agreement are None.
    """
    found: dict[str, Any] = {"sha256": code_hash(), "commit": None, "clean": None}
    try:
        found["commit"] = _git("rev-parse", "HEAD")
        found["clean"] = not _git("status", "--porcelain", "--", *CODE)
    except (OSError, subprocess.CalledProcessError):
        pass
    return found


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def main(recipe: str, seeds: int, jobs: int = 1) -> None:
    """Measure a recipe and write results/RECIPE.json."""
    if recipe == "seed":
        raise SystemExit("results/seed.json is written by: python benchmarks/seed.py")
    put_on_record(recipe, "benchmarks/ladder.py", lambda: measured(recipe, seeds, jobs))


def put_on_record(name: str, script: str, measure: Callable[[], dict[str, Any]]) -> None:
    """Write results/NAME.json: what `measure` gives of runs of the code there is, and which script claims it."""
    # Before the training: a change meanwhile shows in the hashes of what is started after it.
    used = code()
    figures = measure()
    others = {a["seed"] for a in figures["attempts"] if a["code"] != used["sha256"]}
    if others:
        figures["warnings"].append(f"Trained by other code than this: seeds {sorted(others)}.")
    about = {"claim": script, "date": date.today().isoformat(), "code": used}
    write_json(ROOT / "results" / f"{name}.json", about | figures)
    if figures["failed"]:
        raise SystemExit(f"{len(figures['failed'])} seeds failed; the record says which and why.")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
