"""What is drawn or spilled over a digit: dotted lines, zigzags, spots, fog. Brightness 0..1, no digits here.

Everything is drawn for n pictures at once from one generator. Knows nothing about models.
"""

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import SIDE

Layers = NDArray[np.float64]
"""(n, 28, 28), 0..1: what lies over each picture."""

DOT_SPACING = 3.0
PEN_RADIUS = 0.5
ZIGZAG_CORNERS = 9
ZIGZAG_PIXELS = 2.5
SPOT_SHARE = 0.14
CLOUD_FALL = 1.7


def dotted_lines(n: int, chance: np.random.Generator) -> Layers:
    """A straight row of dots from the left edge to the right one, its two ends at chance heights."""
    starts, ends = _ends(n, chance)
    steps = int(SIDE / DOT_SPACING) + 1
    along = np.linspace(0, 1, steps)[:, None]
    dots = starts[:, None] + along * (ends - starts)[:, None]
    return _inked(dots, dots)


def zigzags(n: int, chance: np.random.Generator) -> Layers:
    """A line from the left edge to the right one that swings to and fro about the straight way."""
    starts, ends = _ends(n, chance)
    along = np.linspace(0, 1, ZIGZAG_CORNERS)[:, None]
    straight = starts[:, None] + along * (ends - starts)[:, None]
    way = ends - starts
    across = np.stack([way[:, 1], -way[:, 0]], axis=1) / np.linalg.norm(way, axis=1)[:, None]
    swing = ZIGZAG_PIXELS * np.where(np.arange(ZIGZAG_CORNERS) % 2, 1.0, -1.0)
    # A swing that begins up is as likely as one that begins down.
    side = np.where(chance.random(n) < 0.5, 1.0, -1.0)
    corners = straight + (side[:, None] * swing)[:, :, None] * across[:, None]
    return _inked(corners[:, :-1], corners[:, 1:])


def spots(n: int, chance: np.random.Generator) -> Layers:
    """Drops: smoothed noise where it is among its highest SPOT_SHARE, with soft rims."""
    from scipy import ndimage

    noise = ndimage.gaussian_filter(chance.standard_normal((n, SIDE, SIDE)), (0, 1.2, 1.2))
    level = np.quantile(noise, 1 - SPOT_SHARE, axis=(1, 2), keepdims=True)
    spread = noise.std(axis=(1, 2), keepdims=True)
    return np.asarray(np.clip((noise - level) / (0.5 * spread), 0, 1), np.float64)


def clouds(n: int, chance: np.random.Generator) -> Layers:
    """Fog of uneven density: noise whose amplitude falls as 1 / frequency ** CLOUD_FALL, each 0..1."""
    rows, columns = np.meshgrid(np.fft.fftfreq(SIDE), np.fft.rfftfreq(SIDE), indexing="ij")
    frequency = np.hypot(rows, columns)
    frequency[0, 0] = 1.0
    spectrum = np.fft.rfft2(chance.standard_normal((n, SIDE, SIDE))) / frequency**CLOUD_FALL
    spectrum[:, 0, 0] = 0
    field = np.fft.irfft2(spectrum, (SIDE, SIDE))
    low, high = field.min(axis=(1, 2), keepdims=True), field.max(axis=(1, 2), keepdims=True)
    return np.asarray((field - low) / (high - low), np.float64)


def _ends(n: int, chance: np.random.Generator) -> tuple[Layers, Layers]:
    """Places (row, column) (n, 2) on the left and on the right edge."""
    left, right = chance.uniform(2, SIDE - 3, (2, n))
    return (
        np.stack([left, np.zeros(n)], axis=1),
        np.stack([right, np.full(n, SIDE - 1.0)], axis=1),
    )


def _inked(starts: Layers, ends: Layers) -> Layers:
    """Strokes from starts to ends (n, k, 2), row and column -> how much ink a pen leaves on each pixel.

    Full up to PEN_RADIUS from a stroke, none a pixel further on.
    """
    pixels = np.indices((SIDE, SIDE)).reshape(2, -1).T
    layers = np.zeros((len(starts), SIDE**2))
    for start, end in zip(starts.transpose(1, 0, 2), ends.transpose(1, 0, 2), strict=True):
        way = end - start
        length = np.maximum((way**2).sum(axis=1), 1e-12)[:, None]
        away = pixels[None] - start[:, None]
        along = np.clip((away * way[:, None]).sum(axis=2) / length, 0, 1)
        distance = np.linalg.norm(away - along[:, :, None] * way[:, None], axis=2)
        np.maximum(layers, np.clip(PEN_RADIUS + 1 - distance, 0, 1), out=layers)
    return layers.reshape(-1, SIDE, SIDE)
