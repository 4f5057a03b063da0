"""Reports of many rounds -> the record of a benchmark: medians, extremes, ratios, and what it ran on."""

import argparse
import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from processes import DIGITS, HERE, Groups, Report, Reports, in_turn, peer

from tenfold import load
from tenfold.files import write_json
from tenfold.recipes import named_recipe
from tenfold.statistics import summarise
from tenfold.training.environment import machine, versions

# Forward, and the two products backward: the rule of Network.flops.
TRAINING_PASSES = 3


def summary(values: list[Any]) -> Any:
    """What the rounds found of one thing -> a Summary and the values of figures; else the value, where all agree."""
    first = values[0]
    if isinstance(first, dict):
        return {key: summary([value[key] for value in values]) for key in first}
    if isinstance(first, float):
        return summarise(values).json() | {"values": values}
    return first if all(value == first for value in values) else values


def times(theirs: Any, own: Any) -> Any:
    """For each figure of two summaries: the median of `theirs` as a multiple of our `own`; None without one."""
    if not (isinstance(theirs, dict) and isinstance(own, dict)):
        return None
    if "median" in theirs and "median" in own:
        return theirs["median"] / own["median"] if own["median"] else None
    ratios = {key: times(value, own.get(key)) for key, value in theirs.items()}
    return {key: ratio for key, ratio in ratios.items() if ratio is not None} or None


def compared(reports: Mapping[str, list[Report]]) -> dict[str, Any]:
    """The reports of a group's ways -> what each found, and how many times the first way's that is."""
    found = {name: summary(of_way) for name, of_way in reports.items()}
    own = next(iter(found.values()))
    return {name: figures | {"times_first": times(figures, own)} for name, figures in found.items()}


def work(chosen: argparse.Namespace, reports: Reports) -> dict[str, Any]:
    """FLOPs of the training of the first group's first way, beside a second group's matrix products."""
    recipe = named_recipe(chosen.recipe)
    training, limits = (next(iter(ways.values())) for ways in reports.values())
    seen = training[0]["epochs"] * training[0]["training_images"]
    seconds = median(report["training_seconds"] for report in training)
    rate = TRAINING_PASSES * recipe.flops * seen / seconds
    limit = median(report["flops_per_second"] for report in limits)
    return {
        "flops": {
            "image_forward": recipe.flops,
            "training_a_second": rate,
            "matrix_product_a_second": limit,
            "share": rate / limit,
        }
    }


def peer_versions() -> dict[str, str]:
    """What is installed of benchmarks/peers.txt, and Python's own version under "python"."""
    lines = (HERE / "peers.txt").read_text().splitlines()
    names = {found[0] for line in lines if (found := re.match(r"[a-z][\w-]*", line))}
    command = peer("versions.py", *sorted(names))
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(told.stdout))


def hashes(digits: Path) -> dict[str, str | None]:
    """What the ways were given, by the hash of its content; nothing where they were given none."""
    if not digits.exists():
        return {}
    train, test = load(f"npz:{digits}")
    return {"train": train.hash, "test": test.hash if test else None}


def bench(
    script: str,
    parser: argparse.ArgumentParser,
    groups: Callable[[argparse.Namespace, Path], Groups],
    more: Callable[[argparse.Namespace, Reports], dict[str, Any]] = lambda *_: {},
) -> None:
    """Run every way of the groups in turn and write OUT/NAME.json.

    Args:
        script: the benchmark's `__file__`.
        parser: its arguments.
        groups: (arguments, a folder that is removed at the end) -> what is to be run.
        more: (arguments, all reports) -> what else goes on record.
    """
    chosen, name = parser.parse_args(), Path(script).stem
    with TemporaryDirectory() as folder:
        ways = groups(chosen, Path(folder))
        digits = hashes(Path(folder, DIGITS))
        reports = in_turn(ways, chosen.rounds)
    record = {
        "claim": f"benchmarks/{name}.py",
        "date": date.today().isoformat(),
        "machine": machine(),
        # What others computed meanwhile shows here: at rest it is no more than the number of cores.
        "load_at_end": os.getloadavg()[0],
        "versions": versions(),
        "peer_versions": peer_versions(),
        "data": digits,
        "arguments": {key: value for key, value in vars(chosen).items() if key != "out"},
        "recipe": named_recipe(chosen.recipe).to_json(),
        "groups": {group: compared(ways) for group, ways in reports.items()},
    }
    write_json(chosen.out / f"{name}.json", record | more(chosen, reports))
