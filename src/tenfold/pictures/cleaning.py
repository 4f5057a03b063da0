"""The ink on a picture of one digit -> the ink of the digit: rulings, frames and specks dropped.

What belongs to the digit is told by size and place alone: its largest piece, and the pieces beside it that
are not small. Knows nothing about digits' forms, paper or models.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tenfold.pictures.pixels import Box, box_of_marks

Ink = NDArray[np.float32]
Mask = NDArray[np.bool_]

# Pixels with so much ink belong to a piece.
INKED = 0.35
EIGHT_NEIGHBOURS = np.ones((3, 3), bool)

# A piece with less ink than this share of the largest is a speck. The bar of a 5 has some 15 %.
SPECK_SHARE = 0.03
# With less than this it is not even looked at; a frame may have thirty times the ink of the digit's bar.
DUST_SHARE = 0.003
# Farther from the largest piece than this share of its size, a piece with less ink than that share of it
# belongs to something else; at the edge of the picture, where the largest is not, less distance is enough.
NEAR, NEAR_AT_EDGE = 0.35, 0.12
OTHERS_SHARE = 0.4
CUT_OFF = 0.4
# A piece so many times as wide as high below the largest, and so much wider than that, underlines it. The
# base of a broken 2 is narrower, and the bar of a broken 5 above.
FLAT, WIDE = 8.0, 1.5

# A ruling crosses so much of the picture, is no thicker than this share of it, and leans no more than this.
CROSSED = 0.9
THICKEST_LINE = 0.1
# The straightest first.
LEANS = np.array(sorted(np.linspace(-0.12, 0.12, 13), key=abs))
# At least so much of it is not hidden by the digit.
SEEN = 0.5
MOST_LINES = 24
# So many lines each way are squared paper, all of one thickness; scraps of them may be left at the edges.
SQUARED, THICKER, SCRAPS = 3, 1.8, 0.1
# In a smaller picture a ruling and the bar of a digit look alike.
LEAST_RULED = 40
# What is no ruling keeps this share of the picture's side away from its edges; a digit that was cut out
# closely does not, and the bar of its 7 runs from edge to edge like a ruling.
MARGIN = 0.02
LEAST_RULED_DIGIT = 0.25
# Beside a solid bar along a whole side (ink over the area of its box), what is no lower than this may be the digit.
LEAST_BESIDE_STRIP, SOLID = 0.025, 0.7
# What holds this share of the picture's rim, all four sides together, is no stroke where there is a digit inside.
RIM_HELD = 0.12
# A frame stands in the outer parts of the ink, this share of it on each side, but for so much of it; in so many of
# the eight directions from its middle, as a circle may have a gap; and what it frames is more than a dash.
FRAME_STRIP, FRAME_INSIDE, DIRECTIONS_HELD = 0.12, 0.05, 7
FRAMED_INK, FRAMED_SIDE = 0.1, 0.3


class Piece(NamedTuple):
    """Connected ink: its number in the labelled picture, how much it is, where it is."""

    number: int
    mass: float
    rows: slice
    columns: slice

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.rows.stop - self.rows.start)

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.columns.stop - self.columns.start)


class Edges(NamedTuple):
    """Where the picture ends, counted from the corner of the part that holds ink."""

    top: int
    left: int
    bottom: int
    right: int


def cleaned(ink: Ink) -> Ink:
    """Ink float32 (h, w) in 0..1 -> the same without what does not belong to the digit."""
    mask = ink >= INKED
    box = box_of_marks(mask)
    if box is not None and _is_crossed(mask.shape, box):
        ink = _without_lines(mask, ink)
        mask = ink >= INKED
        box = box_of_marks(mask)
    if box is None:
        return ink
    rows, columns = (slice(max(side.start - 1, 0), side.stop + 1) for side in box)
    edges = Edges(-rows.start, -columns.start, len(ink) - rows.start, ink.shape[1] - columns.start)
    gone = _foreign(mask[rows, columns], ink[rows, columns], edges)
    if gone is None:
        return ink
    ink = ink.copy()
    ink[rows, columns][gone] = 0
    return ink


def _foreign(mask: Mask, ink: Ink, edges: Edges) -> Mask | None:
    """The pixels of pieces that do not belong to the digit, soft edges included; None where all do."""
    labels, count = ndimage.label(mask, EIGHT_NEIGHBOURS)
    if count <= 1:
        return None
    masses = np.bincount(labels.ravel(), ink.ravel(), count + 1)
    masses[0] = 0
    places = ndimage.find_objects(labels)
    pieces = [
        Piece(int(number), float(masses[number]), *places[number - 1])
        for number in np.flatnonzero(masses >= DUST_SHARE * masses.max())
    ]
    kept = _of_the_digit(pieces, labels, edges)
    if len(kept) == count:
        return None
    dropped = np.ones(count + 1, bool)
    dropped[[0, *(piece.number for piece in kept)]] = False
    gone = dropped.take(labels)
    return np.asarray(_widened(gone) & (gone | (labels == 0)))


def _widened(mask: Mask) -> Mask:
    """The mask and the eight neighbours of each of its pixels."""
    down = mask.copy()
    down[1:] |= mask[:-1]
    down[:-1] |= mask[1:]
    wide = down.copy()
    wide[:, 1:] |= down[:, :-1]
    wide[:, :-1] |= down[:, 1:]
    return wide


def _of_the_digit(pieces: list[Piece], labels: NDArray[np.integer], edges: Edges) -> list[Piece]:
    gone = [piece for piece in pieces if _is_frame(piece, pieces, labels)]
    height = edges.bottom - edges.top
    inside = max((piece.height for piece in pieces if not _at_edge(piece, edges)), default=0)
    if inside >= LEAST_RULED_DIGIT * height:
        gone += [piece for piece in pieces if _holds_the_rim(piece, labels, edges)]
    elif inside >= LEAST_BESIDE_STRIP * height:
        gone += [piece for piece in pieces if _is_strip(piece, edges)]
    pieces = [piece for piece in pieces if piece not in gone]
    # What is cut off by the edge of the picture is hardly what the picture is of.
    largest = max(pieces, key=lambda piece: piece.mass * (CUT_OFF if _at_edge(piece, edges) else 1))
    size = max(largest.height, largest.width)
    inside = not _at_edge(largest, edges)
    kept = [largest]
    for piece in pieces:
        if piece is largest or piece.mass < SPECK_SHARE * largest.mass:
            continue
        gap = _gap(piece, largest) / size
        if inside and _at_edge(piece, edges):
            foreign = gap > NEAR or (gap > NEAR_AT_EDGE and piece.mass < largest.mass)
        else:
            foreign = gap > NEAR and piece.mass < OTHERS_SHARE * largest.mass
        if foreign:
            continue
        if not _is_underline(piece, largest):
            kept.append(piece)
    return kept


def _gap(one: Piece, other: Piece) -> float:
    down = max(one.rows.start - other.rows.stop, other.rows.start - one.rows.stop, 0)
    right = max(one.columns.start - other.columns.stop, other.columns.start - one.columns.stop, 0)
    return float(np.hypot(down, right))


def _at_edge(piece: Piece, edges: Edges) -> bool:
    return bool(
        piece.rows.start == edges.top
        or piece.columns.start == edges.left
        or piece.rows.stop == edges.bottom
        or piece.columns.stop == edges.right
    )


def _holds_the_rim(piece: Piece, labels: NDArray[np.integer], edges: Edges) -> bool:
    """Whether much of the picture's rim is a piece's, as it is where a shadow or a desk begins."""
    places = (
        (edges.top == 0, labels[0]),
        (edges.left == 0, labels[:, 0]),
        (edges.bottom == len(labels), labels[-1]),
        (edges.right == labels.shape[1], labels[:, -1]),
    )
    held = sum(int((line == piece.number).sum()) for is_rim, line in places if is_rim)
    rim = 2 * (edges.bottom - edges.top + edges.right - edges.left)
    return held >= RIM_HELD * rim


def _is_strip(piece: Piece, edges: Edges) -> bool:
    """Whether a piece is a bar along a whole side of the picture, as a desk beside the paper is."""
    across = piece.width / (edges.right - edges.left)
    along = piece.height / (edges.bottom - edges.top)
    at_edge = _at_edge(piece, edges)
    return (
        at_edge
        and max(across, along) > CROSSED
        and piece.mass >= SOLID * piece.height * piece.width
    )


def _is_underline(piece: Piece, largest: Piece) -> bool:
    below = piece.rows.start >= largest.rows.stop
    return below and piece.width >= max(FLAT * piece.height, WIDE * largest.width)


def _is_frame(piece: Piece, pieces: list[Piece], labels: NDArray[np.integer]) -> bool:
    """Whether a piece is hollow, and another that is no dash inside."""
    within = [
        other
        for other in pieces
        if other.mass >= FRAMED_INK * piece.mass
        and piece.rows.start < other.rows.start < other.rows.stop < piece.rows.stop
        and piece.columns.start < other.columns.start < other.columns.stop < piece.columns.stop
        and other.height >= FRAMED_SIDE * piece.height
    ]
    return bool(within) and is_hollow(labels[piece.rows, piece.columns] == piece.number)


def is_hollow(piece: Mask) -> bool:
    """Whether connected ink, cut out bool (h, w), lies along the sides of its box, or the ellipse in it, all around."""
    places = np.nonzero(piece)
    down, right = (
        2 * along / max(side - 1, 1) - 1 for along, side in zip(places, piece.shape, strict=True)
    )
    if (np.hypot(down, right) < 1 - 2 * FRAME_STRIP).mean() >= FRAME_INSIDE:
        return False
    eighths = np.floor(4 / np.pi * np.arctan2(down, right))
    return len(np.unique(eighths % 8)) >= DIRECTIONS_HELD


def _is_crossed(shape: tuple[int, ...], box: Box) -> bool:
    """Whether ink touches opposite edges, as it does where a ruling crosses the picture."""
    (rows, columns), (height, width) = box, shape
    return min(height, width) >= LEAST_RULED and (
        (rows.start < 2 and rows.stop > height - 2)
        or (columns.start < 2 and columns.stop > width - 2)
    )


def _without_lines(mask: Mask, ink: Ink) -> Ink:
    """Straight thin lines from edge to edge taken away, where what is left is a digit with a margin."""
    across, down = list(_lines(mask)), list(_lines(mask.T))
    squared = min(len(across), len(down)) >= SQUARED
    if squared:
        across, down = _thin(across), _thin(down)
    lines = _all_of(mask, across, down)
    rest = mask & ~lines
    # One line each way is the bar and the stem of a 4, unless there is much more.
    cross = len(across) == len(down) == 1 and rest.sum() < mask.sum() / 2
    if not lines.any() or cross or not _has_margin(rest, SCRAPS if squared else 0.0):
        return ink
    carried = [_carries(line, rest) for line in across] + [_carries(line, rest.T) for line in down]
    if any(carried) and not squared:
        return ink
    soft = _widened(lines) & ~rest
    return np.where(soft, np.float32(0), ink)


def _carries(line: Mask, rest: Mask) -> bool:
    """Whether what is left hangs on a line across at the edge of the picture, as a digit does on its own bar."""
    margin = int(np.ceil(MARGIN * len(line)))
    at_edge = line[:margin].any() or line[-margin:].any()
    return bool(at_edge and (_widened(line) & rest).any())


def _thin(lines: list[Mask]) -> list[Mask]:
    """The lines without those that are thicker than most: a stroke, and pieces of lines that go on where it ends."""
    thickness = [float(line.sum() / max(line.any(axis=0).sum(), 1)) for line in lines]
    most = THICKER * float(np.median(thickness))
    return [line for line, thick in zip(lines, thickness, strict=True) if thick <= most]


def _all_of(mask: Mask, across: list[Mask], down: list[Mask]) -> Mask:
    lines: Mask = np.logical_or.reduce([np.zeros_like(mask), *across, *(line.T for line in down)])
    return lines


def _has_margin(mask: Mask, scraps: float) -> bool:
    """Whether there is ink, as tall as a digit, and no more of it than the share `scraps` at the edges."""
    height, width = mask.shape
    down, right = int(np.ceil(MARGIN * height)), int(np.ceil(MARGIN * width))
    inner = mask[down:-down, right:-right]
    rows = np.flatnonzero(inner.any(axis=1))
    tall = bool(len(rows)) and rows[-1] - rows[0] >= LEAST_RULED_DIGIT * height
    return tall and mask.sum() - inner.sum() <= scraps * mask.sum()


def _lines(mask: Mask) -> Iterator[Mask]:
    """The pixels of each line across a mask (h, w), from left to right."""
    height, width = mask.shape
    lengths = run_lengths(mask)
    # What stands higher than a line is thick may hide it, but does not show it.
    rows, columns = np.nonzero(mask & (lengths <= THICKEST_LINE * height + 1))
    across = np.arange(width) - width / 2
    profiles = []
    for lean in LEANS:
        heights = np.rint(rows - lean * (columns - width / 2)).astype(np.intp)
        inside = (heights >= 0) & (heights < height)
        profiles.append(np.bincount(heights[inside], minlength=height))
    # A line may lie between two rows.
    counts = np.stack(profiles)
    pairs = np.minimum(counts + np.pad(counts[:, 1:], ((0, 0), (0, 1))), width)
    for _ in range(MOST_LINES):
        lean, row = np.unravel_index(pairs.argmax(), pairs.shape)
        if pairs[lean, row] < SEEN * width:
            return
        places = np.clip(np.rint(row + 0.5 + LEANS[lean] * across), 0, height - 1).astype(np.intp)
        line = _along(mask, lengths, places)
        if line is None:
            pairs[lean, row] = 0
        else:
            pairs[:, max(row - 2, 0) : row + 3] = 0
            yield line


def _along(mask: Mask, lengths: NDArray[np.int32], places: NDArray[np.intp]) -> Mask | None:
    """The pixels of the line whose middle is at row `places` (w,); None where there is none."""
    height, width = mask.shape
    near = np.arange(height)[:, None] - places
    on_line = np.where(np.abs(near) <= 2, lengths, 0).max(axis=0)
    touched = on_line[on_line > 0]
    if len(touched) < CROSSED * width:
        return None
    thickness = float(np.median(touched))
    if thickness > THICKEST_LINE * height + 1:
        return None
    # Where a stroke crosses the line, the run of ink is longer, and stays.
    short = lengths <= 1.6 * thickness + 1
    return np.asarray(mask & (np.abs(near) <= thickness + 1) & short)


def run_lengths(mask: Mask) -> NDArray[np.int32]:
    """For each pixel that is on, how many are on in its run along its column; 0 where it is off."""
    flat = np.pad(mask, ((1, 1), (0, 0))).T.ravel().astype(np.int8)
    changes = np.diff(flat)
    starts, ends = np.flatnonzero(changes == 1) + 1, np.flatnonzero(changes == -1) + 1
    lengths = np.zeros(len(flat), np.int32)
    lengths[starts] = ends - starts
    filled = np.repeat(ends - starts, ends - starts)
    lengths[flat > 0] = filled
    return lengths.reshape(mask.shape[1], mask.shape[0] + 2).T[1:-1]
