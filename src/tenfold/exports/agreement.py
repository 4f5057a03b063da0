"""Nothing is finished until it agrees with its source: nothing is written that tells other digits."""

from tenfold.data import load
from tenfold.digits import Classifier
from tenfold.modelfile import check_parity, stress_images


def check_agreement(source: Classifier, written: Classifier) -> None:
    """ParityError unless both give the same probabilities, but for rounding, on pictures that stress them."""
    check_parity(source, written, stress_images(load("mnist5k").train.images))
