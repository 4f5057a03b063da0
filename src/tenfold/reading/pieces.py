"""Connected ink as pieces: digits, parts of digits, or several digits that touch.

Knows nothing about lines or models. A piece keeps its own ink apart from that of its neighbours, so that
boxes may overlap.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from tenfold.reading.ink import Ink, Mask, Sheet, peaks_of
from tenfold.reading.rulings import EVERYWHERE

# The edge of a stroke is where its ink has fallen to this share of its middle.
EDGE = 0.38
# Shares of the height of digits: smaller things are specks; no digit is taller or wider, even where two touch.
SPECK = 0.12
TALLEST = 2.6
WIDEST = 14.0
# Of shadows that the edge of the photo cuts off, 93 in 100 are darkest there in more of their rows or columns than this;
# of digits that it cuts off, one in a thousand (docs/experiments.md).
DARKEST_AT_EDGE = 0.5
# What is so high as a share of the page, and so many times as high as wide, is a pencil or a fold.
BAR, BAR_SLIM = 0.8, 6
MARGIN = 1


@dataclass(frozen=True, eq=False)
class Piece:
    """Some ink of a page.

    Attributes:
        top, left: the place of `ink` on the page.
        ink: float32 (h, w), 0 where the ink is not its own; a margin of one pixel is around `mask`.
        mask: bool (h, w), where its strokes are.
        cut: what it cost to cut it from the part before it, in widths of the pen; 0 where nothing was cut.
        whole: the number of the piece on its line that it was cut from: parts of one have the same; -1 of no single one.
    """

    top: int
    left: int
    ink: Ink
    mask: Mask
    cut: float = 0.0
    whole: int = -1

    @property
    def height(self) -> int:
        return int(self.mask.shape[0]) - 2 * MARGIN

    @property
    def width(self) -> int:
        return int(self.mask.shape[1]) - 2 * MARGIN

    @property
    def middle(self) -> tuple[float, float]:
        """The middle of its box, x and y."""
        return self.left + self.mask.shape[1] / 2, self.top + self.mask.shape[0] / 2

    @property
    def mass(self) -> int:
        return int(self.mask.sum())


def pieces_of(ink: Ink, mask: Mask) -> list[Piece]:
    """The connected pieces of a page; each is cut off where its own ink has faded, so a faint one counts too."""
    first, count = ndimage.label(mask, EVERYWHERE)
    if not count:
        return []
    peaks = peaks_of(ink, first, count)
    labels, count = ndimage.label(mask & (ink > EDGE * peaks[first]), EVERYWHERE)
    found = []
    for number, place in enumerate(ndimage.find_objects(labels), 1):
        rows, columns = place
        top, left = rows.start - MARGIN, columns.start - MARGIN
        bottom, right = rows.stop + MARGIN, columns.stop + MARGIN
        around = tuple((max(-low, 0), max(high - size, 0)) for low, high, size in (
            (top, bottom, mask.shape[0]), (left, right, mask.shape[1])))  # fmt: skip
        window = slice(max(top, 0), bottom), slice(max(left, 0), right)
        own = np.pad(labels[window], around)
        mine = own == number
        # The soft edge of a stroke belongs to it unless it is another's.
        soft = ndimage.binary_dilation(mine, EVERYWHERE) & ((own == 0) | mine)
        found.append(Piece(top, left, np.where(soft, np.pad(ink[window], around), 0), mine))
    return found


def trimmed(piece: Piece, keep: Mask, *, cut: float) -> Piece | None:
    """The part of a piece where `keep` is on, its margin made anew; None where nothing is left."""
    mask = piece.mask & keep
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    window = (
        slice(rows[0] - MARGIN, rows[-1] + 1 + MARGIN),
        slice(columns[0] - MARGIN, columns[-1] + 1 + MARGIN),
    )
    return Piece(
        piece.top + window[0].start,
        piece.left + window[1].start,
        np.where(keep, piece.ink, 0)[window],
        mask[window],
        cut,
    )


def joined(pieces: Sequence[Piece]) -> Piece:
    """Pieces as one."""
    if len(pieces) == 1:
        return pieces[0]
    top, left = min(p.top for p in pieces), min(p.left for p in pieces)
    bottom = max(p.top + p.mask.shape[0] for p in pieces)
    right = max(p.left + p.mask.shape[1] for p in pieces)
    ink = np.zeros((bottom - top, right - left), np.float32)
    mask = np.zeros(ink.shape, bool)
    for piece in pieces:
        y, x = piece.top - top, piece.left - left
        place = slice(y, y + piece.mask.shape[0]), slice(x, x + piece.mask.shape[1])
        np.maximum(ink[place], piece.ink, out=ink[place])
        mask[place] |= piece.mask
    [*wholes] = {p.whole for p in pieces}
    return Piece(top, left, ink, mask, pieces[0].cut, wholes[0] if len(wholes) == 1 else -1)


def of_writing(pieces: list[Piece], rows: int) -> list[Piece]:
    """Pieces of a page of so many rows, without bars from its top to its bottom, if any are left."""
    return [p for p in pieces if p.height <= max(BAR * rows, BAR_SLIM * p.width)] or pieces


def height_of_digits(pieces: Sequence[Piece]) -> float:
    """The height that half of the ink reaches: digits hold most of it. 0 where there is none."""
    if not pieces:
        return 0.0
    # A wide piece is no digit, or several, and so is not told by its height; a line has next to none.
    tall = [p for p in pieces if p.width < 4 * p.height + 4]
    tall = tall or list(pieces)
    heights = np.array([p.height for p in tall], float)
    order = np.argsort(heights)
    mass = np.cumsum(np.array([p.mass for p in tall])[order])
    return float(heights[order][np.searchsorted(mass, mass[-1] / 2)])


def likely(pieces: Sequence[Piece], sheet: Sheet, height: float) -> list[Piece]:
    """The pieces that may belong to digits of about this height: no specks, no edges of the paper or of a shadow."""
    outside = np.pad(~sheet.paper, 3, constant_values=True)
    edge, beside = (
        ndimage.binary_dilation(outside, EVERYWHERE, iterations=n)[3:-3, 3:-3] for n in (1, 2)
    )
    edge = np.pad(edge, MARGIN)
    return [p for p in pieces if _is_likely(p, beside, height) and not _is_cut_off(p, edge)]


def _is_likely(piece: Piece, beside: Mask, height: float) -> bool:
    tall, wide = piece.height / height, piece.width / height
    if max(tall, wide) < SPECK or tall > TALLEST or wide > WIDEST:
        return False
    if min(tall, wide) > 1.8 and piece.mass < 0.08 * piece.height * piece.width:
        return False
    rows = slice(max(piece.top, 0), piece.top + piece.mask.shape[0])
    columns = slice(max(piece.left, 0), piece.left + piece.mask.shape[1])
    at_edge = bool(beside[rows, columns].any())
    return not at_edge or (0.5 < tall < 1.6 and wide < 2.5 and min(tall, wide) > 0.12)


def _is_cut_off(piece: Piece, edge: Mask) -> bool:
    """Whether it only begins at the edge of the paper, as a shadow there or half a stroke.

    The edge has a margin around the page.
    """
    height, width = piece.mask.shape
    at_edge = edge[piece.top + MARGIN :, piece.left + MARGIN :][:height, :width]
    ink = np.where(piece.mask, piece.ink, -1)[MARGIN:-MARGIN, MARGIN:-MARGIN]
    at_edge = at_edge[MARGIN:-MARGIN, MARGIN:-MARGIN]
    rows = at_edge[np.arange(piece.height), ink.argmax(axis=1)]
    columns = at_edge[ink.argmax(axis=0), np.arange(piece.width)]
    return bool(max(rows.mean(), columns.mean()) > DARKEST_AT_EDGE)


def pen_width(piece: Piece) -> float:
    """How wide the strokes are, in pixels: four times how far their pixels are from the edge, in the mean.

    Of that, two are taken off: a pixel on the edge counts as one away from it, not as none.
    """
    return max(1.0, 4 * float(ndimage.distance_transform_edt(piece.mask)[piece.mask].mean()) - 2)
