"""How many wrong labels stand among the first 40 that an audit doubts?

usage: python benchmarks/wrong_labels.py [--out results]

Claims: `standard`, the recipe of `tenfold.audit`, finds more than `fast` does. By planted faults it was chosen: MNIST's
training part is cut into 50,000 images to train on and 10,000 to audit. A network of its own, `seed-numpy`, says
which digit an image resembles beside its own, and how much; 15 of the images that it finds about equally ambiguous
get that digit for a label, 300 times by chance. MNIST's test part, with its 15 labels that people doubted, is asked
about after that, and only to be told how it went.
"""

import argparse
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import tenfold
from tenfold.digits import Classifier, Digits, Parts
from tenfold.evaluation import audit_labels
from tenfold.evaluation.corrected import DOUBTS
from tenfold.files import write_json
from tenfold.randomness import stream
from tenfold.statistics import summarise
from tenfold.training.environment import machine, versions

ROOT = Path(__file__).resolve().parent.parent
RECIPES = ("fast", "standard")
AUDITED = 10_000
PLANTED, TIMES = 15, 300
FIRST = 40
SEEDS = (0, 1)
"""Of the networks that are asked about planted faults, one after the other."""
AMBIGUITY = (0.02, 0.1, 0.3, 1.0)
"""Bounds of the probability of the other digit."""


def main() -> None:
    """Plant and find, then look at the test part, and write OUT/wrong_labels.json."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=ROOT / "results")
    chosen = parser.parse_args()
    record = {
        "claim": "benchmarks/wrong_labels.py",
        "date": date.today().isoformat(),
        "machine": machine(),
        "versions": versions(),
        "first": FIRST,
        "planted": list(planted()),
        "doubted_by_people": {recipe: known(recipe) for recipe in RECIPES},
    }
    write_json(chosen.out / "wrong_labels.json", record)


def planted() -> Iterator[dict[str, Any]]:
    """For each recipe, seed and range of ambiguity, how many of the PLANTED faults stand among the first."""
    digits = tenfold.load("mnist").train
    order = stream(0, "wrong labels").permutation(len(digits))
    rest, audited = digits.take(order[AUDITED:]), digits.take(order[:AUDITED])
    resembling = _trained("seed-numpy", rest, 0).predict_proba(audited.images)
    resembling[np.arange(AUDITED), audited.known_labels] = -1
    for recipe in RECIPES:
        for seed in SEEDS:
            told = _trained(recipe, rest, seed).predict_proba(audited.images)
            for low, high in zip(AMBIGUITY, AMBIGUITY[1:], strict=False):
                found = _found(audited, told, resembling, low, high)
                print(f"{recipe}, seed {seed}, {low} to {high}: {found['mean']:.2f}")
                yield {"recipe": recipe, "seed": seed, "low": low, "high": high} | found


def _found(audited: Digits, told: Any, resembling: Any, low: float, high: float) -> dict[str, Any]:
    likeness = resembling.max(axis=1)
    candidates = np.flatnonzero((likeness > low) & (likeness <= high))
    rng = stream(0, "planted", f"{low}")
    counts = []
    for _ in range(TIMES):
        rows = rng.choice(candidates, PLANTED, replace=False)
        labels = audited.known_labels.copy()
        labels[rows] = resembling[rows].argmax(axis=1)
        ranking = audit_labels(Digits(audited.images, labels, "planted"), told).ranking
        counts.append(float(np.isin(rows, ranking[:FIRST]).sum()))
    return {"candidates": len(candidates), "mean": summarise(counts).mean}


def _trained(recipe: str, digits: Digits, seed: int) -> Classifier:
    with TemporaryDirectory() as folder:
        return tenfold.train(recipe, Parts(digits, None), seed=seed, out=f"{folder}/run").classifier


def known(recipe: str) -> dict[str, Any]:
    """Where the labels that people doubted stand among all of the test part, from 1."""
    ranking = tenfold.audit("mnist", part="test", recipe=recipe).ranking
    place = {int(row): number for number, row in enumerate(ranking, 1)}
    places = {str(doubt.row): place[doubt.row] for doubt in DOUBTS}
    among = sum(number <= FIRST for number in places.values())
    print(f"{recipe}: {among} of {len(DOUBTS)} among the first {FIRST}; {sorted(places.values())}")
    return {"among_first": among, "of": len(DOUBTS), "places": places}


if __name__ == "__main__":
    main()
