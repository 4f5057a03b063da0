"""A recipe on a split like that of Kaggle's Digit Recognizer, on record: 42,000 images to train, 28,000 to judge.

usage: python benchmarks/kaggle_split.py RECIPE SEEDS

Claim: a recipe loses little with 42,000 of MNIST's 70,000 images. Which ones Kaggle took is not said with the data, so
chance deals them out, once and for all; seeds are those of the trainings. Otherwise as `ladder.py`: the result is
results/RECIPE-kaggle.json, and finished runs stand in runs/benchmarks/RECIPE-kaggle/. Some of the 28,000 are among the
training images by whose labels the recipes were chosen; no network has seen them.
"""

import sys
from pathlib import Path

import numpy as np
from ladder import put_on_record, runs_of

from tenfold import load, repeat
from tenfold.digits import joined
from tenfold.randomness import stream

TRAINING = 42_000


def dealt(folder: Path) -> Path:
    """An .npz of MNIST's 70,000 images, TRAINING of them in the training part; the same one each time."""
    parts = load("mnist")
    if parts.test is None:
        raise SystemExit("expected MNIST with its test part, received the training part alone.")
    digits = joined([parts.train, parts.test])
    rows = np.split(stream(0, "kaggle").permutation(len(digits)), [TRAINING])
    train, test = (digits.take(of_part) for of_part in rows)
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {
        "x_train": train.images,
        "y_train": train.known_labels,
        "x_test": test.images,
        "y_test": test.known_labels,
    }
    np.savez(folder / "kaggle-like.npz", **arrays)
    return folder / "kaggle-like.npz"


def main(recipe: str, seeds: int) -> None:
    """Measure a recipe and write its record."""
    name = f"{recipe}-kaggle"
    out = runs_of(name)
    data = f"npz:{dealt(out.parent)}"
    put_on_record(
        name,
        "benchmarks/kaggle_split.py",
        lambda: repeat(recipe, data, seeds=range(seeds), out=out).json(),
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
