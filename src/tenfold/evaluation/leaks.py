"""What makes a good accuracy suspicious: judged images that were trained on, and more than labels allow.

Knows counts and fingerprints. Whoever shows an accuracy shows these sentences beside it.
"""

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import Images, fingerprints
from tenfold.statistics import Proportion

# 10 labels of MNIST's 10,000 test images are wrong and 5 open (`corrected`), so a model that is right
# about all of them is right by 99.85 % to 99.90 % of the official labels. Real labels of other
# sources are seldom better.
HIGHEST_HONEST_SHARE = 0.999
# All of fewer images are told correctly by chance too often: at 99.8 %, one time in seven for 1,000.
FEWEST_IMAGES = 1_000


def count_seen(images: Images, trained_on: NDArray[np.uint64]) -> int:
    """How many of images uint8 (n, 28, 28) have their fingerprint among `trained_on`, uint64 (k,)."""
    return int(np.isin(fingerprints(images), trained_on).sum())


def leak_warnings(told: Proportion, *, seen: int = 0) -> list[str]:
    """Why an accuracy may say less than it seems to, in sentences; none where nothing is suspicious.

    Args:
        told: images told correctly, by the labels the images came with.
        seen: how many of these images the model was trained on.
    """
    sentences = []
    if seen:
        sentences.append(
            f"{seen:,} of these {told.total:,} images were in the training data: this is no test of them."
        )
    if told.total >= FEWEST_IMAGES and told.share > HIGHEST_HONEST_SHARE:
        sentences.append(
            f"{told} is better than labels allow: of MNIST's 10,000 test labels 10 are wrong and 5 open "
            "to doubt, so a model that is right about every digit ends near 99.85% to 99.90%. Look for "
            "judged images, or copies of them, among the training images, and for choices that were made "
            "by looking at the judged ones."
        )
    return sentences
