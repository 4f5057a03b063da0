"""Strokes of a pen -> a picture in canonical form: what all drawings are made with.

Knows nothing about what is drawn.
"""

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import Images
from tenfold.pictures.framing import frame

Points = NDArray[np.float64]

# A pen of 3 to 12 pixels on 84 is one of 1 to 4 on 28, the range of MNIST's own strokes and somewhat beyond.
_CANVAS = 84
_PENS = (3, 12)
_MARGIN = 14

# How far each point lies from its place, standard deviation, where a drawing is one unit high: no two are alike.
_UNSTEADY = 0.05


def strokes_of(drawing: str, chance: np.random.Generator) -> list[Points]:
    """A drawing in words -> its strokes, unsteady as a hand's.

    Strokes stand between ";", each as its points "x,y" in 0..1, y downwards; "~" before the first makes a smooth curve.
    """
    strokes = []
    for stroke in drawing.split(";"):
        curved = stroke.strip().startswith("~")
        pairs = stroke.strip().lstrip("~").split()
        points = np.array([[float(part) for part in pair.split(",")] for pair in pairs])
        points += chance.normal(0, _UNSTEADY, points.shape)
        strokes.append(smooth(points) if curved else points)
    return strokes


def written(strokes: list[Points], chance: np.random.Generator) -> Images:
    """Strokes in the unit square, as a hand would put them down, in canonical form."""
    from PIL import Image, ImageDraw

    # A hand's slant, proportions and tilt.
    slant, tilt = chance.uniform(-0.3, 0.3), chance.uniform(-0.25, 0.25)
    wide, high = chance.uniform(0.5, 1.0), chance.uniform(0.7, 1.0)
    turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    form = turn @ np.array([[1, slant], [0, 1]]) @ np.diag([wide, high])
    scale = _CANVAS - 2 * _MARGIN
    paper = Image.new("L", (_CANVAS, _CANVAS))
    pencil, pen = ImageDraw.Draw(paper), int(chance.integers(*_PENS))
    for stroke in strokes:
        points = (stroke - 0.5) @ form.T * scale + _CANVAS / 2
        pencil.line([tuple(point) for point in points], fill=255, width=pen, joint="curve")
        for x, y in (points[0], points[-1]):
            r = pen / 2
            pencil.ellipse((x - r, y - r, x + r, y + r), fill=255)
    return frame(np.asarray(paper, np.float32) / np.float32(255))


def smooth(points: Points, steps: int = 8) -> Points:
    """A Catmull-Rom spline through the points (k, 2), `steps` places from each to the next."""
    padded = np.concatenate([points[:1], points, points[-1:]])
    a, b, c, d = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    a, b, c, d = (p[:, None, :] for p in (a, b, c, d))
    curve = (
        b
        + t * (c - a) / 2
        + t**2 * (a - 2.5 * b + 2 * c - d / 2)
        + t**3 * (d - a + 3 * (b - c)) / 2
    )
    return np.concatenate([curve.reshape(-1, 2), points[-1:]])
