"""Pictures changed on purpose so that a model is wrong, no pixel by more than eps of the range.

    fgsm    one step of the full size along the sign of the gradient (Goodfellow, Shlens & Szegedy 2015)
    pgd     many small steps from a chance start, brought back into reach after each (Madry et al. 2018)

Both know the model from inside (`whitebox`) and raise its loss at the label. What they give are pictures
in bytes, as a model is given them: eps is rounded down to whole steps of 1/255, and after the last step
pixels are rounded towards nearest within reach. Knows nothing about counting.
"""

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import Images, Labels
from tenfold.evaluation.whitebox import WhiteBox

# Madry et al. 2018 attack MNIST with 40 steps.
STEPS = 40
# The way that all steps together could go, in eps: enough to cross from one side of what is in reach to
# the other (the 2.5 of Madry et al. 2018, section 5).
TRAVEL = 2.5


def reach(eps: float) -> int:
    """eps as a share of the range of a pixel, 0..1 -> whole steps of 255, rounded down."""
    return int(eps * 255 + 1e-9)


def fgsm(box: WhiteBox, images: Images, labels: Labels, *, eps: float) -> Images:
    """images uint8 (n, 28, 28) of labels (n,) -> uint8 (n, 28, 28), every pixel within `eps` of its own."""
    uphill = np.sign(box.loss_gradient(images, labels))
    return _bytes(images.astype(np.float32) + reach(eps) * uphill)


def pgd(
    box: WhiteBox,
    images: Images,
    labels: Labels,
    *,
    eps: float,
    chance: np.random.Generator,
    steps: int = STEPS,
) -> Images:
    """images uint8 (n, 28, 28) of labels (n,) -> uint8 (n, 28, 28), every pixel within `eps` of its own.

    Args:
        box: the model that is attacked.
        images: the pictures.
        labels: what they show.
        eps: share of the range of a pixel, 0..1.
        chance: where each picture starts, evenly within reach.
        steps: how many; each is 2.5 eps / steps long.
    """
    away = reach(eps)
    least = np.maximum(images.astype(np.float32) - away, 0)
    most = np.minimum(images.astype(np.float32) + away, 255)
    start = images.astype(np.float32) + chance.uniform(-away, away, images.shape).astype(np.float32)
    reached = np.clip(start, least, most)
    step = np.float32(TRAVEL * away / steps)
    for _ in range(steps):
        uphill = np.sign(box.loss_gradient(reached, labels))
        reached = np.clip(reached + step * uphill, least, most)
    return _bytes(reached)


def _bytes(pixels: NDArray[np.float32]) -> Images:
    return pixels.round().clip(0, 255).astype(np.uint8)
