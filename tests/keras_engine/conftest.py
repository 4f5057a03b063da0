"""The digits that the Keras engine is tested on."""

import numpy as np
import pytest

from tenfold.digits import Digits


@pytest.fixture(scope="session")
def digits(small_digits: Digits) -> Digits:
    """800 pictures: 25 batches of 32, so that four epochs are 100 steps."""
    return small_digits.take(np.arange(800))
