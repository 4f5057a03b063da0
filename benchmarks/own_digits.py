"""How many digits are told right on pictures that are not MNIST's: as they are, and in canonical form.

usage: python benchmarks/own_digits.py FOLDER [--model MODEL] [--out results]

Claim: a model that was trained on MNIST alone tells the share of digits in results/own_digits.json right, once they
are in canonical form; of MNIST's own test images it tells as many as without; and one core makes the canonical
form of as many pictures of 100x100 a second of processor time. FOLDER holds archives NAME.npz with images (n, h, w),
labels (n,), where pictures differ in size heights and widths (n,), beyond which is padding, and where it has parts
split (n,). "Resized" is what a first program does: the whole picture made 28x28, inverted where it is mostly bright.
"""

import argparse
import os
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tenfold import load, open_classifier, pretrained
from tenfold.digits import SIDE
from tenfold.files import write_json
from tenfold.pictures import canonical
from tenfold.randomness import stream
from tenfold.statistics import Proportion
from tenfold.training.environment import machine, versions

ROOT = Path(__file__).resolve().parent.parent
Picture = NDArray[np.uint8]

BATCH = 1000
SPEED_SIDE, SPEED_PICTURES, SPEED_ROUNDS = 100, 1000, 5


def resized(picture: Picture) -> Picture:
    """The whole picture (h, w) -> (28, 28), bright on dark if most of it is dark."""
    small = np.asarray(Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    return 255 - small if small.mean() > 127 else small


def sets_of(archive: Path) -> Iterator[tuple[str, list[Picture], NDArray[np.uint8]]]:
    """Name, pictures without their padding and labels of an archive, or of each part that it is split into."""
    with np.load(archive, allow_pickle=False) as held:
        images, labels = held["images"], held["labels"]
        heights = held["heights"] if "heights" in held else [images.shape[1]] * len(images)
        widths = held["widths"] if "widths" in held else [images.shape[2]] * len(images)
        split = held["split"] if "split" in held else np.zeros(len(images), int)
    cut = [
        np.ascontiguousarray(image[:high, :wide])
        for image, high, wide in zip(images, heights, widths, strict=True)
    ]
    for part in np.unique(split):
        rows = np.flatnonzero(split == part)
        name = archive.stem if len(rows) == len(images) else f"{archive.stem}, split {part}"
        yield name, [cut[row] for row in rows], labels[rows]


def told(
    classifier: Any,
    pictures: list[Picture],
    labels: NDArray[np.uint8],
    form: Callable[[Picture], Picture],
) -> dict[str, Any]:
    """How many are told right, and how many are said to show no digit, the pictures made 28x28 by `form`."""
    made = np.stack([form(picture) for picture in pictures])
    batches = [made[start : start + BATCH] for start in range(0, len(made), BATCH)]
    probabilities = np.concatenate([classifier.predict_proba(batch) for batch in batches])
    right = probabilities.argmax(axis=1) == labels
    found = Proportion(int(right.sum()), len(labels))
    rejected = probabilities.max(axis=1) < classifier.reject_below
    return {
        "right": found.successes,
        "digits": found.total,
        "interval": list(found.interval()),
        "rejected": int(rejected.sum()),
        "rejected_and_right": int((rejected & right).sum()),
    }


def both_ways(
    name: str, pictures: list[Picture], labels: NDArray[np.uint8], classifier: Any
) -> dict[str, Any]:
    """The digits of a set resized and in canonical form."""
    found = {
        "resized": told(classifier, pictures, labels, resized),
        "canonical": told(classifier, pictures, labels, canonical),
    }
    for way, result in found.items():
        print(f"{name}, {way}: {Proportion(result['right'], result['digits'])}", flush=True)
    return found


def on_paper(digit: Picture, rng: np.random.Generator, *, photographed: bool) -> Picture:
    """A digit of MNIST drawn dark on a light picture of 100x100; photographed, with grain and uneven light."""
    size = int(rng.integers(45, 85))
    box = np.asarray(Image.fromarray(digit[4:24, 4:24]).resize((size, size)), np.float64)
    picture = np.full((SPEED_SIDE, SPEED_SIDE), 235.0)
    top, left = rng.integers(0, SPEED_SIDE - size, 2)
    picture[top : top + size, left : left + size] -= 0.75 * box
    if photographed:
        picture *= 1 - 0.3 * np.linspace(0, 1, SPEED_SIDE)[:, None]
        picture += rng.normal(0, 3, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def a_second(digits: NDArray[np.uint8], *, photographed: bool) -> dict[str, Any]:
    """Canonical forms that one core makes in a second."""
    rng = stream(0, "own digits")
    pictures = [on_paper(digit, rng, photographed=photographed) for digit in digits]
    rates = []
    for _ in range(SPEED_ROUNDS):
        start = process_time()
        for picture in pictures:
            canonical(picture)
        rates.append(len(pictures) / (process_time() - start))
    print(
        f"{'photographed' if photographed else 'clean'}: {median(rates):,.0f} a second", flush=True
    )
    return {"median": median(rates), "values": rates}


def main() -> None:
    """Measure and write OUT/own_digits.json."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--model", type=Path, help="left out, the model that tenfold brings along")
    parser.add_argument("--out", type=Path, default=ROOT / "results")
    chosen = parser.parse_args()
    archives = sorted(chosen.folder.glob("*.npz"))
    if not archives:
        raise SystemExit(f"{chosen.folder}: expected archives NAME.npz, found none.")
    classifier = pretrained() if chosen.model is None else open_classifier(chosen.model)
    parts = load("mnist")
    test = parts.test or parts.train
    record = {
        "claim": "benchmarks/own_digits.py",
        "date": date.today().isoformat(),
        "machine": machine(),
        "versions": versions(),
        "model": "pretrained" if chosen.model is None else chosen.model.name,
        "mnist": {
            "as it is": told(classifier, list(test.images), test.known_labels, lambda image: image),
            "canonical": told(classifier, list(test.images), test.known_labels, canonical),
        },
        "sets": {
            name: both_ways(name, pictures, labels, classifier)
            for archive in archives
            for name, pictures, labels in sets_of(archive)
        },
        "pictures_a_second": {
            "clean": a_second(test.images[:SPEED_PICTURES], photographed=False),
            "photographed": a_second(test.images[:SPEED_PICTURES], photographed=True),
        },
        "load_at_end": os.getloadavg()[0],
    }
    write_json(chosen.out / "own_digits.json", record)


if __name__ == "__main__":
    main()
