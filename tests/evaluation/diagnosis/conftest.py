"""Digits to plant faults in."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from scripts import Arrays


@pytest.fixture(scope="session")
def arrays() -> Arrays:
    """mnist5k by chance: 3,200 to train, 800 to validate, 1,000 to test."""
    from tenfold.data import load

    train, test = load("mnist5k", say=lambda _: None)
    order = np.random.default_rng(0).permutation(len(train))
    x, y = train.images[order], train.known_labels[order].astype(np.int64)
    return Arrays(
        (x[:3200], y[:3200]),
        (x[3200:], y[3200:]),
        (test.images, test.known_labels.astype(np.int64)),
    )


@pytest.fixture(scope="session")
def few(arrays: Arrays) -> Arrays:
    """As many as a fault in the arrays needs: 1,600, 300 and 300."""
    return Arrays(
        *((x[:count], y[:count]) for (x, y), count in zip(arrays, (1600, 300, 300), strict=True))
    )
