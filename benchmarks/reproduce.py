"""Does a recipe still reach what it is known for? Fresh seeds, held against its record.

usage: python benchmarks/reproduce.py RECIPE [SEEDS] [FIRST_SEED]

Claim: none of its own. Trains RECIPE with SEEDS seeds from FIRST_SEED on, which should be none of the record's,
and compares with the runs in results/RECIPE.json by Welch's test: fails where fewer images are told than
chance explains (p < 0.01). Runs stand in runs/reproduced/RECIPE/.
"""

import json
import sys
from pathlib import Path

from tenfold import Proportion, repeat
from tenfold.statistics import Difference, welch_difference

ROOT = Path(__file__).resolve().parent.parent


def compared(fresh: list[float], known: list[float]) -> tuple[Difference, bool]:
    """Accuracies of each run, 0..1 -> the difference fresh - known, and whether fresh is worse."""
    difference = welch_difference(fresh, known)
    return difference, difference.found and difference.mean < 0


def main(recipe: str, seeds: int = 5, first_seed: int = 1000) -> None:
    """Train, compare, and exit with 6 where the recipe does not reach what its record says."""
    record = json.loads((ROOT / "results" / f"{recipe}.json").read_text())
    out = ROOT / "runs" / "reproduced" / recipe
    found = repeat(recipe, "mnist", seeds=range(first_seed, first_seed + seeds), out=out)
    print(found)
    known = [Proportion(run["test"]["correct"], run["test"]["total"]) for run in record["runs"]]
    difference, worse = compared(
        [run.test.share for run in found.runs], [test.share for test in known]
    )
    print(f"fresh - known: {difference.mean:+.3%}, p = {difference.p_value:.2g}")
    if worse or found.failed:
        raise SystemExit(6)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
