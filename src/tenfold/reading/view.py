"""A photo seen at the scale and turn at which it is read: digits of one height on level lines.

Knows nothing about ink. Places go from the photo to the view and back.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Points = NDArray[np.float64]

# Beyond this a view has more pixels than the photo has detail; memory stays below 50 bytes a pixel.
MAX_SIDE = 3600
# Enlarging a tiny photo smooths its strokes; more than this adds nothing.
MAX_ENLARGEMENT = 4.0


@dataclass(frozen=True, eq=False)
class View:
    """A picture made from a photo, and how places move between the two.

    Attributes:
        grey: uint8 (h, w), the picture.
        inside: bool (h, w), where the photo is; elsewhere grey is made up.
        matrix: float64 (3, 3), (x, y, 1) in the photo -> the view, up to a factor.
    """

    grey: Grey
    inside: NDArray[np.bool_]
    matrix: NDArray[np.float64]

    @property
    def scale(self) -> float:
        """How many pixels of the view a pixel of the photo is, about."""
        return float(np.hypot(*self.matrix[:2, 0]))

    def to_photo(self, points: Points) -> Points:
        """Points float64 (n, 2), x and y in the view -> in the photo."""
        return moved(_inverse(self.matrix), points)


def moved(matrix: NDArray[np.float64], points: Points) -> Points:
    """Points float64 (n, 2), x and y, through a projective map (3, 3)."""
    lifted = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    result: Points = lifted[:, :2] / lifted[:, 2:]
    return result


def limited_scale(shape: tuple[int, ...], scale: float) -> float:
    """A scale for a photo of this shape that keeps the view within the limits above."""
    return min(scale, MAX_ENLARGEMENT, MAX_SIDE / max(shape[:2]))


def look(photo: Grey, *, scale: float, turn: float = 0.0) -> View:
    """The photo uint8 (h, w), enlarged by `scale` and turned clockwise by `turn` degrees, whole."""
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    matrix = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) @ np.diag([scale, scale, 1])
    return seen_through(photo, matrix)


def seen_through(photo: Grey, matrix: NDArray[np.float64]) -> View:
    """The photo through a projective map, moved so that all of it is in the view."""
    from PIL import Image

    height, width = photo.shape
    corners = moved(matrix, np.array([(0, 0), (width, 0), (width, height), (0, height)], float))
    low, high = corners.min(axis=0), corners.max(axis=0)
    wide, tall = np.maximum(np.ceil(high - low - 1e-6), 1)
    size = int(wide), int(tall)
    matrix = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]]) @ matrix
    image = Image.fromarray(photo)
    # Bicubic weights four pixels, however far the view shrinks: averages go before.
    shrinks = _shrinks(width / size[0], height / size[1])
    if max(shrinks) > 1:
        image = image.reduce(shrinks)
    inverse = np.diag([1 / shrinks[0], 1 / shrinks[1], 1]) @ _inverse(matrix)
    terms = (inverse / inverse[2, 2]).ravel()[:8].tolist()
    if np.allclose(matrix - np.diag(np.diag(matrix)), 0):
        grey = np.asarray(image.resize(size, Image.Resampling.BICUBIC))
        return View(grey, np.ones(grey.shape, bool), matrix)
    perspective, bicubic = Image.Transform.PERSPECTIVE, Image.Resampling.BICUBIC
    grey = np.asarray(image.transform(size, perspective, terms, bicubic, fillcolor=255))
    whole = Image.new("L", image.size, 255)
    inside = np.asarray(whole.transform(size, perspective, terms, fillcolor=0)) > 0
    fill = np.uint8(np.median(photo[:: max(1, height // 200), :: max(1, width // 200)]))
    return View(np.where(inside, grey, fill), inside, matrix)


def _shrinks(across: float, down: float) -> tuple[int, int]:
    """How far the photo is averaged before, in each direction: by the same factor, as a view keeps proportions.

    Only a photo of a few pixels by millions, of which the view has one by thousands, shrinks more in one of them:
    weights for millions of pixels would take gigabytes.
    """
    both = max(1, round(min(across, down)))
    return both * max(1, int(across / both / 2)), both * max(1, int(down / both / 2))


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.linalg.inv(matrix).astype(np.float64)
