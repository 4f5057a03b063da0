"""Do two classifiers agree? Pictures that stress them, and the check over those.

An export is not finished until it agrees with its source. Knows only Classifiers and pictures.
"""

import numpy as np

from tenfold.classifiers import moved
from tenfold.digits import SIDE, Classifier, Images, check_images
from tenfold.errors import ParityError
from tenfold.randomness import stream

_REAL = 64


def stress_images(images: Images) -> Images:
    """Pictures on which a wrong export shows: uint8 (k, 28, 28), k <= 435, the same for the same `images`.

    Args:
        images: real pictures, uint8 (n, 28, 28); 64 of them, evenly spread, and their brightest and
            darkest enter as they are, inverted, shifted to each side, lying on their side and faint.
    """
    images = check_images(images)
    real = images[np.linspace(0, len(images) - 1, min(len(images), _REAL)).astype(np.intp)]
    by_ink = np.argsort(images.sum(axis=(1, 2), dtype=np.int64), kind="stable")
    extreme = images[np.concatenate([by_ink[:8], by_ink[-8:]])]
    return np.concatenate(
        [
            real,
            extreme,
            255 - real,
            *(moved(real[k::4], *by) for k, by in enumerate([(4, 0), (-4, 0), (0, 4), (0, -4)])),
            real.transpose(0, 2, 1),
            # A clear picture saturates softmax, which then hides a wrong weight; a faint one does not.
            real // 16,
            _made_up(),
        ]
    )


def check_parity(
    ours: Classifier, theirs: Classifier, images: Images, *, tolerance: float = 1e-4
) -> float:
    """The largest difference between two classifiers' probabilities over `images` (n, 28, 28).

    Within the tolerance the predicted digits agree too, except where the two largest
    probabilities of a picture lie within twice the tolerance of each other.

    Raises:
        ParityError: the difference is above `tolerance`, or either gives anything but finite
            numbers of the same shape.
    """
    expected, received = ours.predict_proba(images), theirs.predict_proba(images)
    if expected.shape != received.shape:
        raise ParityError(
            f"Expected probabilities {expected.shape}, received {received.shape} from the other model."
        )
    with np.errstate(invalid="ignore"):  # inf - inf is a disagreement, found below
        gaps = np.abs(expected.astype(np.float64) - received).max(axis=1)
    # Written so that NaN, which compares as False with everything, counts as a disagreement.
    wrong = ~(gaps <= tolerance)
    if wrong.any():
        digits = int((expected.argmax(axis=1) != received.argmax(axis=1)).sum())
        raise ParityError(
            f"The two models differ by {gaps.max():.2e} (allowed {tolerance:.0e}) on {int(wrong.sum()):,} of "
            f"{len(images):,} pictures, and in {digits:,} predicted digits. Do not use the exported one."
        )
    return float(gaps.max())


def _made_up() -> Images:
    """Even greys from black to white, single bright pixels, and noise: uint8 (99, 28, 28)."""
    greys = np.broadcast_to(np.arange(0, 256, 15)[:, None, None], (18, SIDE, SIDE))
    single = np.zeros((49, SIDE, SIDE), np.uint8)
    # Every fourth row and column but from 0 to 27, so that the borders, where padding shows, are there.
    places = np.linspace(0, SIDE - 1, 7).astype(np.intp)
    single[np.arange(49), np.repeat(places, 7), np.tile(places, 7)] = 255
    noise = stream(0, "parity").integers(0, 256, (32, SIDE, SIDE)).astype(np.uint8)
    return np.concatenate([greys.astype(np.uint8), single, noise])
