"""What is drawn or spilled over a digit: dotted lines, zigzags, spots, fog. Brightness 0..1, no digits here.

Everything is drawn for n pictures at once from one generator. Knows nothing about models.
"""

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import SIDE

Layers = NDArray[np.float64]
"""(n, 28, 28), 0..1: what lies over each picture."""

REACH = 2.3
"""So far above and below a line, in pixels, it is seen."""

DASH = 2
ZIGZAG_FROM, ZIGZAG_TO, ZIGZAG_PIXELS, ZIGZAG_LEAN = 2, 25, 2, 5
DROP_SIGMA, DROP_RIM, DROP_LEAST = 1.0, 1.5, 0.8
CLOUD_SIDE, CLOUD_DECAY = 256, 1.4
AT_ONCE = 64


def dotted_lines(n: int, chance: np.random.Generator) -> Layers:
    """A straight line from the left edge to the right one, its ends at chance heights; seen in every other two columns."""
    starts, ends = chance.integers(0, SIDE - 1, (2, n)).astype(np.float64)
    columns = np.arange(SIDE)
    heights = starts[:, None] + (ends - starts)[:, None] * columns / (SIDE - 1)
    return _lines(heights) * (columns // DASH % 2)


def zigzags(n: int, chance: np.random.Generator) -> Layers:
    """A line that swings to and fro by 2 pixels, every 4 along its way, which begins at a chance height and ends up to
    5 pixels higher or lower."""
    from_row = chance.integers(0, SIDE - 1, n)
    rise = chance.integers(-ZIGZAG_LEAN, ZIGZAG_LEAN, n) / (ZIGZAG_TO - ZIGZAG_FROM)
    columns = np.arange(SIDE)
    # The wave stands upright on the way, not on the row: the way is longer than the columns it crosses.
    along = (columns - ZIGZAG_FROM) * np.hypot(1, rise)[:, None]
    quarters = along / ZIGZAG_PIXELS
    wave = 1 - np.abs((quarters - 1) % 4 - 2)
    heights = from_row[:, None] + (columns - ZIGZAG_FROM) * rise[:, None] - ZIGZAG_PIXELS * wave
    within = (columns >= ZIGZAG_FROM) & (columns <= ZIGZAG_TO)
    return _lines(heights) * within


def drops(n: int, chance: np.random.Generator) -> Layers:
    """Drops: what lies deep inside of smoothed noise that is above its mean. 0, or 0.8 at the rim of a drop to 1."""
    from scipy import ndimage

    noise = ndimage.gaussian_filter(
        chance.standard_normal((n, SIDE, SIDE)), (0, DROP_SIGMA, DROP_SIGMA)
    )
    depth = ndimage.gaussian_filter((noise > 0).astype(np.float64), (0, DROP_RIM, DROP_RIM))
    return np.asarray(np.where(depth < DROP_LEAST, 0, depth), np.float64)


def clouds(n: int, chance: np.random.Generator) -> Layers:
    """Fog: the corner of a landscape of 256x256, whose lowest place is 0 and whose highest is 1.

    A midpoint fractal (Fournier, Fussell & Carpenter 1982): from one height, the middle of each square and then of each
    diamond is the mean of its four corners and something by chance, which from one size to the half falls by 1.4^2.
    """
    found = np.empty((n, SIDE, SIDE))
    for start in range(0, n, AT_ONCE):
        part = found[start : start + AT_ONCE]
        heights = _landscapes(len(part), chance)
        low, high = heights.min(axis=(1, 2), keepdims=True), heights.max(axis=(1, 2), keepdims=True)
        part[:] = (heights[:, :SIDE, :SIDE] - low) / (high - low)
    return found


def _landscapes(n: int, chance: np.random.Generator) -> NDArray[np.float64]:
    heights = np.zeros((n, CLOUD_SIDE, CLOUD_SIDE))
    step, most = CLOUD_SIDE, 1.0
    while step > 1:
        half = step // 2
        corners = heights[:, ::step, ::step]
        pairs = corners + np.roll(corners, -1, 1)
        middles = _raised(pairs + np.roll(pairs, -1, 2), most, chance)
        heights[:, half::step, half::step] = middles
        heights[:, ::step, half::step] = _raised(
            corners + np.roll(corners, -1, 2) + middles + np.roll(middles, 1, 1), most, chance
        )
        heights[:, half::step, ::step] = _raised(
            corners + np.roll(corners, -1, 1) + middles + np.roll(middles, 1, 2), most, chance
        )
        step, most = half, most / CLOUD_DECAY**2
    return heights


def _raised(
    four: NDArray[np.float64], most: float, chance: np.random.Generator
) -> NDArray[np.float64]:
    """The mean of four heights, of their sum, and up to `most` up or down."""
    return four / 4 + chance.uniform(-most, most, four.shape)


def _lines(heights: NDArray[np.float64]) -> Layers:
    """The row of a line in each column (n, 28) -> how bright it is on each pixel: 1 + log(1 - distance / 2.3), 1 on
    the line and 0 from 1.45 pixels above or below it."""
    rows = np.arange(SIDE)[:, None]
    away = np.minimum(np.abs(rows - heights[:, None]), REACH - 1e-9)
    return np.asarray(np.clip(1 + np.log(1 - away / REACH), 0, 1), np.float64)
