"""How many digits are read right on photos of handwriting, and on pages drawn from MNIST's test images.

usage: python benchmarks/pages.py [FOLDER...] [--model MODEL] [--pages N] [--out results]

Claim: `tenfold read` tells the share of digits in results/pages.json right, in the seconds there. A FOLDER
holds photos and `strings.json`: {"photo.jpg": ["first line", "second line"]}. Drawn pages are those of
tests/reading/drawing.py, N of each kind; their digits are MNIST's, legible or not. Wrong are the edits that
turn what was read into what was written, a line end counting as a character. Beside it stands how many of the same digits
are told right where each is drawn alone.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from tenfold import load, open_classifier, pretrained
from tenfold.files import write_json
from tenfold.pictures import canonical
from tenfold.randomness import stream
from tenfold.reading import read
from tenfold.reading.reader import open_photo
from tenfold.statistics import Proportion
from tenfold.training.environment import machine, versions

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "reading"))
from drawing import PAPERS, TOUCHING, chosen, distance, draw, written  # noqa: E402  it lies beside the tests
from drawing import photographed as photo_of  # noqa: E402

KINDS = PAPERS | {"digits that touch": TOUCHING}
Page = tuple[str, np.ndarray, list[str]]


def photographed(folder: Path) -> Iterator[Page]:
    """Name, pixels and strings of each photo in a folder."""
    for name, strings in json.loads((folder / "strings.json").read_text()).items():
        yield name, open_photo(folder / name), strings


def drawn(kind: str, count: int) -> Iterator[Page]:
    """Pages of one kind, with digits of MNIST's test images taken by chance."""
    for number in range(count):
        strings, glyphs, rng = _written(kind, number)
        yield f"{kind} {number}", draw(glyphs, KINDS[kind], rng), strings


def told_alone(kind: str, count: int, classifier: Any) -> int:
    """How many of the digits on these pages are told right where each is drawn alone, on plain paper: what reading may reach."""
    style, plain, right = KINDS[kind], PAPERS["plain"], 0
    for number in range(count):
        strings, glyphs, rng = _written(kind, number)
        forms = []
        for glyph in (glyph for line in glyphs for glyph in line):
            ink = np.pad(written(glyph, style.height, style.pen), round(0.4 * style.height))
            forms.append(canonical(photo_of(ink, np.zeros_like(ink), plain, rng)))
        told = classifier.predict_proba(np.stack(forms)).argmax(axis=1)
        right += int((told == np.array(list("".join(strings)), int)).sum())
    return right


def _written(kind: str, number: int) -> tuple[list[str], list[Any], np.random.Generator]:
    """Strings, a test image for each digit of them, and the chance that draws them."""
    parts = load("mnist", say=lambda _: None)
    digits = parts.test or parts.train
    rng = stream(number, f"pages {kind}")
    strings = [
        "".join(rng.choice(list("0123456789"), rng.integers(2, 12)))
        for _ in range(rng.integers(1, 7))
    ]
    return strings, chosen(strings, digits.images, digits.known_labels, rng), rng


def measured(pages: Iterator[Page], classifier: Any) -> dict[str, Any]:
    """Digits right of all, lines found, seconds; and each page that was not read as it was written."""
    digits = wrong = lines = found_lines = 0
    seconds, misread = [], {}
    for name, photo, strings in pages:
        start = perf_counter()
        page = read(photo, model=classifier)
        seconds.append(perf_counter() - start)
        found = [line.text for line in page.lines]
        errors = distance(found, strings)
        digits += sum(map(len, strings))
        wrong += min(errors, sum(map(len, strings)))
        lines += len(strings)
        found_lines += min(len(found), len(strings))
        if errors:
            misread[name] = {"read": found, "written": strings, "errors": errors}
    right = Proportion(digits - wrong, digits)
    print(f"{right}; lines {found_lines}/{lines}; {np.median(seconds):.2f} s a page", flush=True)
    return {
        "right": right.successes,
        "digits": digits,
        "lines": lines,
        "lines_found": found_lines,
        "seconds_median": float(np.median(seconds)),
        "seconds_most": max(seconds),
        "misread": misread,
    }


def main() -> None:
    """Measure and write OUT/pages.json."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--model", type=Path, help="left out, the model that tenfold brings along")
    parser.add_argument("--pages", type=int, default=10, help="of each kind that is drawn")
    parser.add_argument("--out", type=Path, default=ROOT / "results")
    chosen_arguments = parser.parse_args()
    model = chosen_arguments.model
    classifier = pretrained() if model is None else open_classifier(model)
    results = {}
    for folder in chosen_arguments.folders:
        print(folder.name, end=": ", flush=True)
        results[f"photos {folder.name}"] = measured(photographed(folder), classifier)
    for kind in KINDS if chosen_arguments.pages else ():
        print(kind, end=": ", flush=True)
        results[kind] = measured(drawn(kind, chosen_arguments.pages), classifier)
        results[kind]["alone"] = told_alone(kind, chosen_arguments.pages, classifier)
    record = {
        "claim": "benchmarks/pages.py",
        "date": date.today().isoformat(),
        "machine": machine(),
        "versions": versions(),
        "model": "pretrained" if model is None else model.name,
        "pages_of_each_kind": chosen_arguments.pages,
        "results": results,
    }
    write_json(chosen_arguments.out / "pages.json", record)


if __name__ == "__main__":
    main()
