"""A photo that few digits fill -> the same with paper around it, as on any other page.

On a page strokes are narrow, and what is wide is a shadow. Of one digit cut out of a page that holds no more.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from tenfold.pictures.framing import stroke_width
from tenfold.pictures.ink import ink_of, joined_to_rim
from tenfold.reading.view import View

# Strokes wider than this share of the photo's longer side fill it: of MNIST's pictures they are a tenth, of a
# line of seven digits that was cut out closely a fiftieth.
WIDE_STROKE = 0.03
# What holds more of the photo's rim is a desk or a shadow, or a digit that was cut out to its very edges: that is all of the
# ink, nowhere so many times as thick as its strokes, and holds no whole side.
RIM = 0.17
ALL, THICK, SIDE_HELD = 0.95, 2.2, 0.9
# Looked at no larger than this, in pixels.
SIDE = 240
# Then the page is so much longer than the photo that strokes are this share of it, and twice as long at least.
USUAL_STROKE = 0.02
# A page has no more pixels on its longer side.
LONGEST = 1400


class Page(NamedTuple):
    """A photo uint8 (h, w), dark ink on light, and how a pixel of it is found in the photo it was made from.

    Attributes:
        grey: the photo.
        factor: how many pixels of the other photo are one of this, in each direction.
        room: how much paper was added on each side, in pixels of this.
    """

    grey: NDArray[np.uint8]
    factor: int = 1
    room: int = 0

    def seen(self, view: View) -> View:
        """A view of this photo as one of the photo it was made from."""
        back = np.array([[1, 0, self.room], [0, 1, self.room], [0, 0, 1]]) @ np.diag(
            [1 / self.factor, 1 / self.factor, 1]
        )
        return View(view.grey, view.inside, view.matrix @ back)


def page_of(photo: NDArray[np.uint8]) -> Page:
    """A photo uint8 (h, w) as it is, or with paper around it where its strokes are wide."""
    longer = max(photo.shape)
    ink = ink_of(_reduced(photo, -(-longer // SIDE)))
    stroke = stroke_width(np.asarray(255 * ink, np.uint8)) / max(ink.shape)
    if stroke < WIDE_STROKE or not _is_written(ink > 0.5, stroke * max(ink.shape)):
        return Page(photo)
    times = max(2.0, stroke / USUAL_STROKE)
    factor = max(1, round(times * longer / LONGEST))
    ink = ink_of(_reduced(photo, factor))
    room = round((times - 1) / 2 * max(ink.shape))
    dark = np.asarray(255 * (1 - ink), np.uint8)
    return Page(np.pad(dark, room, constant_values=255), factor, room)


def _is_written(inked: NDArray[np.bool_], stroke: float) -> bool:
    """Whether all ink, bool (h, w), may come from a pen whose strokes are so many pixels wide."""
    sides = (inked[0], inked[-1], inked[:, 0], inked[:, -1])
    if np.concatenate(sides).mean() <= RIM:
        return True
    cut = joined_to_rim(inked, np.ones((3, 3)))
    thickest = 2 * ndimage.distance_transform_edt(np.pad(inked, 1)).max()
    return bool(
        cut.sum() >= ALL * inked.sum()
        and thickest <= THICK * stroke
        and max(side.mean() for side in sides) <= SIDE_HELD
    )


def _reduced(photo: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(photo).reduce(factor)) if factor > 1 else photo
