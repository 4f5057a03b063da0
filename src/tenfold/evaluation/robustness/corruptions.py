"""The fifteen corruptions of MNIST-C, as functions of pictures and chance.

Source: Mu & Gilmer 2019, "MNIST-C: A Robustness Benchmark for Computer Vision" (arXiv 1906.02337). What is
done, under what name and how strongly, is theirs: the numbers are those with which their data set was made
(google-research/mnist-c); six of the fifteen go back to Hendrycks & Dietterich 2019 ("Benchmarking Neural Network
Robustness to Common Corruptions and Perturbations"). How it is computed is ours, and where that may be seen
it says so. Chance is drawn anew: these are not the pictures of the published data set.

Every corruption takes images uint8 (n, 28, 28), a generator and a severity 0..1, and gives new images of the same
shape; what was given stays as it was. Severity 1 is that of MNIST-C, 0 changes nothing, and between them the
strength grows evenly. Knows nothing about models.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import SIDE, Images
from tenfold.evaluation.robustness import strokes
from tenfold.evaluation.robustness.edges import edges
from tenfold.evaluation.robustness.placing import moved_by, scaled, sheared, turned

Floats = NDArray[np.float64]
Corruption = Callable[[Images, np.random.Generator, float], Images]

PHOTONS = 3
IMPULSE_SHARE = 0.17
GLASS_SIGMA, GLASS_ROUNDS, GLASS_SHARE = 0.7, 2, 0.5
MOTION_PIXELS, MOTION_SIGMA, MOTION_DEGREES = 10, 3.0, 45.0
SHEAR_ANGLE = 0.4
TURN_DEGREES = float(np.degrees(0.4))
SHRINK = 0.7
BRIGHTER = 0.5
MOVE_PIXELS = 3.0
STRIPE_COLUMNS = 7
FOG = 3.0
MUD = 63 / 255


def shot_noise(images: Images, chance: np.random.Generator, severity: float = 1.0) -> Images:
    """The grain of too little light: each pixel a Poisson count of photons, of which white has 3.

    Hendrycks & Dietterich, level 5; at severity s white has 3 / s photons.
    """
    if severity == 0:
        return images.copy()
    photons = PHOTONS / severity
    return _bytes(chance.poisson(_light(images) * photons) / photons)


def impulse_noise(images: Images, chance: np.random.Generator, severity: float = 1.0) -> Images:
    """Salt and pepper: 17 % of the pixels become black or white, either as likely.

    Hendrycks & Dietterich, level 4.
    """
    drawn = chance.random(images.shape)
    hit = IMPULSE_SHARE * severity
    return np.where(drawn < hit, np.where(drawn < hit / 2, 0, 255), images).astype(np.uint8)


def glass_blur(images: Images, chance: np.random.Generator, severity: float = 1.0) -> Images:
    """Seen through frosted glass: blurred, pixels exchanged with near ones, blurred again.

    Sigma 0.7; from the last pixel to the first each is, by chance of a half, exchanged with one that is up to 1 pixel
    above and to the left; twice (Hendrycks & Dietterich, level 1). Ours: at severity s sigma is 0.7 s and the chance s / 2.
    """
    from scipy import ndimage

    sigma = (0, GLASS_SIGMA * severity, GLASS_SIGMA * severity)
    light = ndimage.gaussian_filter(_light(images), sigma)
    every = np.arange(len(images))
    for _ in range(GLASS_ROUNDS):
        for row in range(SIDE - 1, 1, -1):
            for column in range(SIDE - 1, 1, -1):
                steps = chance.integers(-1, 1, (2, len(images)))
                steps[:, chance.random(len(images)) >= GLASS_SHARE * severity] = 0
                there = every, row + steps[0], column + steps[1]
                here = light[:, row, column].copy()
                light[:, row, column] = light[there]
                light[there] = here
    return _bytes(ndimage.gaussian_filter(light, sigma))


def motion_blur(images: Images, chance: np.random.Generator, severity: float = 1.0) -> Images:
    """Drawn out along a line at up to 45 degrees from level, fading along it.

    Hendrycks & Dietterich, level 1: 10 pixels, fading as a bell of 3. Ours: at severity s the bell has 3 s,
    and the line runs to one side or the other.
    """
    if severity == 0:
        return images.copy()
    angle = np.radians(chance.uniform(-MOTION_DEGREES, MOTION_DEGREES, len(images)))
    side = _signs(len(images), chance)
    steps = np.arange(MOTION_PIXELS + 1)
    weights = np.exp(-(steps**2) / (2 * (MOTION_SIGMA * severity) ** 2))
    light = np.zeros(images.shape)
    for step, weight in zip(steps, weights / weights.sum(), strict=True):
        moved = moved_by(images, step * np.sin(angle) * side, step * np.cos(angle) * side)
        light += weight * _light(moved)
    return _bytes(light)


def shear(images: Images, chance: np.random.Generator, severity: float = 1.0) -> Images:
    """Slanted to one side or the other by 0.4 radians: a row keeps its length, and an upright line is drawn out."""
    return sheared(images, SHEAR_ANGLE * severity * _signs(len(images), chance))


def scale(images: Images, chance: np.random.Generator, severity: float = 1.0) -> Images:
    """Smaller: to 0.7 of its size. Nothing is left to chance."""
    return scaled(images, 1 - (1 - SHRINK) * severity)


def rotate(images: Images, chance: np.random.Generator, severity: float = 1.0) -> Images:
    """Turned to one side or the other, by 0.4 radians."""
    return turned(images, TURN_DEGREES * severity * _signs(len(images), chance))


def brightness(images: Images, chance: np.random.Generator, severity: float = 1.0) -> Images:
    """Every pixel lighter by half of the range, and cut off at white.

    Hendrycks & Dietterich, level 5. Nothing is left to chance.
    """
    return _bytes(_light(images) + BRIGHTER * severity)


def translate(images: Images, chance: np.random.Generator, severity: float = 1.0) -> Images:
    """Moved up or down and to one side, by 3 pixels each."""
    down, right = _signs(len(images), chance), _signs(len(images), chance)
    return moved_by(images, MOVE_PIXELS * severity * down, MOVE_PIXELS * severity * right)


def stripe(images: Images, chance: np.random.Generator, severity: float = 1.0) -> Images:
    """Black and white exchanged in upright stripes, the outer quarters of the frame; ours: at severity s only
    s of the way to the opposite. Nothing is left to chance."""
    light = _light(images)
    for columns in (slice(0, STRIPE_COLUMNS), slice(SIDE - STRIPE_COLUMNS, SIDE)):
        light[:, :, columns] += severity * (1 - 2 * light[:, :, columns])
    return _bytes(light)


def fog(images: Images, chance: np.random.Generator, severity: float = 1.0) -> Images:
    """An uneven white cloud over all, then dimmed: a cloud 3 times as bright as the picture.

    Hendrycks & Dietterich, level 5; see `strokes.clouds`.
    """
    cloud, light = FOG * severity, _light(images)
    brightest = light.max(axis=(1, 2), keepdims=True, initial=0)
    hidden = light + cloud * strokes.clouds(len(images), chance)
    # Of a picture without light there is nothing left to dim.
    return _bytes(hidden * brightest / np.maximum(brightest + cloud, 1e-12))


def spatter(images: Images, chance: np.random.Generator, severity: float = 1.0) -> Images:
    """Drops of dark grey mud, a quarter as bright as white, that hide what is under them.

    Hendrycks & Dietterich, level 4; see `strokes.drops`.
    """
    mud = severity * strokes.drops(len(images), chance)
    return _bytes(_light(images) * (1 - mud) + MUD * mud)


def dotted_line(images: Images, chance: np.random.Generator, severity: float = 1.0) -> Images:
    """A straight white line across, two columns of each four left out; see `strokes.dotted_lines`."""
    return _bytes(_light(images) + severity * strokes.dotted_lines(len(images), chance))


def zigzag(images: Images, chance: np.random.Generator, severity: float = 1.0) -> Images:
    """A white zigzag across (`strokes.zigzags`); ours: it is one line, seen as far above as below, where theirs is strokes."""
    return _bytes(_light(images) + severity * strokes.zigzags(len(images), chance))


def canny_edges(images: Images, chance: np.random.Generator, severity: float = 1.0) -> Images:
    """Only the outlines, white on black, by Canny's detector (`edges`); ours: at severity s the mean of picture and
    outlines, weighted 1 - s and s. Nothing is left to chance."""
    return _bytes((1 - severity) * _light(images) + severity * edges(images))


CORRUPTIONS: dict[str, Corruption] = {
    "shot noise": shot_noise,
    "impulse noise": impulse_noise,
    "glass blur": glass_blur,
    "motion blur": motion_blur,
    "shear": shear,
    "scale": scale,
    "rotate": rotate,
    "brightness": brightness,
    "translate": translate,
    "stripe": stripe,
    "fog": fog,
    "spatter": spatter,
    "dotted line": dotted_line,
    "zigzag": zigzag,
    "canny edges": canny_edges,
}
"""All of them by name, in the paper's order."""


def _light(images: Images) -> Floats:
    return images / 255.0


def _bytes(light: Floats) -> Images:
    """Light (n, 28, 28), 0..1 or beyond -> uint8, what is beyond cut off."""
    return (light * 255).round().clip(0, 255).astype(np.uint8)


def _signs(n: int, chance: np.random.Generator) -> Floats:
    return np.where(chance.random(n) < 0.5, -1.0, 1.0)
