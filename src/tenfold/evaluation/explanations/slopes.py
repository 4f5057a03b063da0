"""Slopes: how much an answer's log-probability moves with each pixel. Gradients, plain and smoothed.

Sources: Simonyan, Vedaldi & Zisserman 2014, "Deep Inside Convolutional Networks", section 3 (they take the
slope of the score before softmax; we take the log-probability, which several networks together have too);
Smilkov et al. 2017, "SmoothGrad: removing noise by adding noise" (arXiv 1706.03825).
"""

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import Images, Labels
from tenfold.evaluation.whitebox import WhiteBox

# Smilkov et al. 2017: noise of 10 to 20 % of the range of the pixels; from 50 samples on more hardly help.
SAMPLES = 50
NOISE = 0.15


def input_slopes(box: WhiteBox, images: Images, digits: Labels) -> NDArray[np.float32]:
    """images uint8 (n, 28, 28), digits uint8 (n,) -> float32 (n, 28, 28): nats by which the log-probability
    of the digit grows with each of the 255 steps of a pixel."""
    return -box.loss_gradient(images, digits)


def smooth_slopes(
    box: WhiteBox,
    images: Images,
    digits: Labels,
    *,
    chance: np.random.Generator,
    samples: int = SAMPLES,
) -> NDArray[np.float32]:
    """The mean of `input_slopes` over noisy copies of each picture: what of them is not the pixel's own accident.

    Args:
        box: the model.
        images: uint8 (n, 28, 28).
        digits: uint8 (n,), whose log-probability is looked at.
        chance: draws the noise, Gaussian with a deviation of 15 % of the range of a pixel.
        samples: noisy copies, 1 or more.
    """
    smooth = np.empty(images.shape, np.float32)
    for i, image in enumerate(images):
        noise = chance.standard_normal((samples, *image.shape), np.float32)
        noisy = image + np.float32(NOISE * 255) * noise
        # All copies of a picture at once, in a few large products instead of many small ones.
        smooth[i] = -box.loss_gradient(noisy, np.full(samples, digits[i])).mean(axis=0)
    return smooth
