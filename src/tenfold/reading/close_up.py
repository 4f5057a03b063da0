"""A photo that few digits fill -> the same with paper around it, as on any other page.

On a page strokes are narrow, and what is wide is a shadow. Of one digit cut out of a page that holds no more; which of
both it is shows in what is read.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from tenfold.pictures.framing import stroke_width
from tenfold.pictures.ink import ink_of
from tenfold.reading.view import View

# Strokes wider than this share of the photo's longer side fill it: of MNIST's pictures they are a tenth, of a
# line of seven digits that was cut out closely a fiftieth.
WIDE_STROKE = 0.03
# Of MNIST's digits cut out to their very edges none has strokes wider than a third; a chequered picture seems all stroke.
WIDEST_STROKE = 0.5
# A desk around a page holds so much of a side of the photo; no digit does.
SIDE_HELD = 0.9
# A stroke is so many times as wide as its edge is soft, in twos of pixels; the edge of a shadow may be as wide as the shadow.
NARROW_EDGE = 3.5
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


def close_up(photo: NDArray[np.uint8]) -> Page | None:
    """A photo uint8 (h, w) with paper around it where its strokes are wide; None where they are not."""
    longer = max(photo.shape)
    small = _reduced(photo, -(-longer // SIDE))
    ink = ink_of(small)
    stroke = stroke_width(np.asarray(255 * ink, np.uint8))
    share = stroke / max(ink.shape)
    if not WIDE_STROKE <= share <= WIDEST_STROKE or not _is_drawn(small, ink > 0.5, stroke):
        return None
    times = max(2.0, share / USUAL_STROKE)
    factor = max(1, round(times * longer / LONGEST))
    ink = ink_of(_reduced(photo, factor))
    room = round((times - 1) / 2 * max(ink.shape))
    dark = np.asarray(255 * (1 - ink), np.uint8)
    return Page(np.pad(dark, room, constant_values=255), factor, room)


def _is_drawn(grey: NDArray[np.uint8], inked: NDArray[np.bool_], stroke: float) -> bool:
    """Whether a pen may have left what is dark, bool (h, w), in strokes so many pixels wide."""
    if max(side.mean() for side in (inked[0], inked[-1], inked[:, 0], inked[:, -1])) > SIDE_HELD:
        return False
    smooth = ndimage.gaussian_filter(grey.astype(np.float32), 0.7)
    fall = ndimage.maximum_filter(smooth, 3) - ndimage.minimum_filter(smooth, 3)
    edge = inked & ~ndimage.binary_erosion(inked, border_value=1)
    contrast = abs(np.median(smooth[inked]) - np.median(smooth[~inked]))
    return bool(np.median(fall[edge]) * stroke >= NARROW_EDGE * contrast)


def _reduced(photo: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(photo).reduce(factor)) if factor > 1 else photo
