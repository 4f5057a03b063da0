"""Occlusion: how much of an answer's probability is lost where a patch of the picture is blanked.

Source: Zeiler & Fergus 2014, "Visualizing and Understanding Convolutional Networks", section 4.2. Asks a
Classifier and nothing else, so it explains one that cannot be seen inside.
"""

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import SIDE, Classifier, Images, Labels
from tenfold.errors import UsageError
from tenfold.values import check_whole

# About a stroke and a half of MNIST's: smaller patches leave a stroke standing, larger ones lose the place.
PATCH_PIXELS = 5


def occlusion(
    classifier: Classifier, images: Images, digits: Labels, *, side: int = PATCH_PIXELS
) -> NDArray[np.float32]:
    """How much the probability of a digit falls when the patch around each pixel is black.

    Args:
        classifier: what is asked, 784 times for each picture.
        images: uint8 (n, 28, 28).
        digits: uint8 (n,), whose probability is looked at.
        side: of the patch in pixels, odd, 1..27; it is cut off at the frame.

    Returns:
        float32 (n, 28, 28) in -1..1; below 0 where the digit becomes more probable.

    Raises:
        UsageError: `side` is not such a number.
    """
    check_whole("occlusion.side", side, 1, SIDE - 1)
    if side % 2 == 0:
        raise UsageError(f"occlusion.side: expected an odd number of pixels, received {side}.")
    half = side // 2
    rows, columns = np.indices((SIDE, SIDE)).reshape(2, -1, 1, 1)
    down, right = np.indices((SIDE, SIDE))
    blank = (np.abs(down - rows) <= half) & (np.abs(right - columns) <= half)
    before = classifier.predict_proba(images)
    fall = np.empty((len(images), SIDE, SIDE), np.float32)
    for i, digit in enumerate(digits):
        after = classifier.predict_proba(np.where(blank, np.uint8(0), images[i]))[:, digit]
        fall[i] = (before[i, digit] - after).reshape(SIDE, SIDE)
    return fall
