"""The atoms of a line -> its digits: which atoms belong together, and what each group shows.

Every group of neighbouring atoms that may be one digit is shown to the classifier once, all groups of a page
together; then the cheapest way through each line is found by dynamic programming. Costs are in nats, as
-log(probability) is. Source: Burges et al. 1992, "Shortest path segmentation".
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tenfold.classifiers import Shifted
from tenfold.digits import Classifier, Images, Probabilities
from tenfold.errors import DataError
from tenfold.pictures import frame
from tenfold.reading.pieces import EDGE, Piece, height_of_digits, joined, pen_width

MOST_ATOMS = 12
"""In one digit."""
MOST_GROUPS = 18_000
"""On one page: 40 lines of 30 digits have 13,000, a page of print 20,000 and more. Each takes some thousandths of a second."""
WIDEST = 1.75
"""A group of several atoms, in heights of a digit."""

# The logarithm of width over height of the ink of each digit 0..9: mean and standard deviation in
# MNIST's training images.
ASPECT = np.array(
    [-0.11, -0.94, -0.08, -0.24, -0.25, -0.07, -0.35, -0.27, -0.29, -0.41], np.float32
)
ASPECT_SPREAD = np.array([0.21, 0.48, 0.24, 0.22, 0.22, 0.28, 0.23, 0.22, 0.23, 0.21], np.float32)
LONG = 0.45
"""The width over height below which a digit is odd: of MNIST's digits but for 1, one in a hundred is."""
MOST_SURPRISE = 8.0
MOST_ODD = 2.5
"""No probability and no width counts for more than these: a strange digit is still one."""
DOUBTFUL, SENSELESS = 0.97, 0.77


class Costs(NamedTuple):
    """What speaks against a reading, each in nats for one unit; lengths in heights of the line's digits.

    Fitted to pages drawn from MNIST's training images, by the probability of reading a line right where all
    ways through its lattice are weighted by exp(-cost); `leave` and `clear`, of which drawn pages tell too
    little, are set by hand. `benchmarks/pages.py` measures what they give.
    """

    look: float = 6.37  # each nat of -log(probability)
    aspect: float = 0.4  # each nat of a width that is odd for this digit
    doubt: float = 4.0  # the model says it is no digit: from DOUBTFUL down to SENSELESS
    digit: float = 3.05  # a digit more
    low: float = 2.0  # the square of log(height), for a low one
    high: float = 0.19  # and for a high one
    off: float = 7.6  # wholly above or below the middle of the line, and so far
    wide: float = 4.72  # wider than 1.2 heights of the line, by so much
    join: float = 5.46  # two pieces that do not touch taken as one digit
    absorb: float = 3.0  # one of them was surely a digit alone
    distance: float = 8.75  # and so far apart
    cut: float = 1.62  # a width of the pen cut through
    through: float = 0.36  # beyond the first such width
    part: float = 1.19  # a piece above another, wholly, taken as a digit of its own
    leave: float = 0.3  # an atom left out
    size: float = 7.09  # and so large
    clear: float = 2.5  # and by itself so surely a digit


COSTS = Costs()


@dataclass(frozen=True, eq=False)
class Reading:
    """One digit of a line: the piece of ink, what the model saw of it and said."""

    piece: Piece
    image: NDArray[np.uint8]
    probabilities: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Lattice:
    """All ways to read a line, and what speaks against each step; columns of evidence as in `Costs`.

    Attributes:
        count: of atoms.
        steps: int (n, 2), the first atom of each step and the one after its last.
        pieces: the ink of each of the first steps; the other `count` steps each leave out an atom.
        images: uint8 (len(pieces), 28, 28).
        probabilities: float32 (len(pieces), 10).
        evidence: float32 (n, len(Costs)), but for what depends on which digit it is.
        surprise: float32 (len(pieces), 10, 2), the columns `look` and `aspect` for each digit.
    """

    count: int
    steps: NDArray[np.intp]
    pieces: list[Piece]
    images: Images
    probabilities: Probabilities
    evidence: NDArray[np.float32]
    surprise: NDArray[np.float32]


def read_lines(lines: Sequence[Sequence[Piece]], classifier: Classifier) -> list[list[Reading]]:
    """The atoms of each line, from left to right -> its digits."""
    return [cheapest(lattice, COSTS) for lattice in lattices(lines, classifier)]


def lattices(lines: Sequence[Sequence[Piece]], classifier: Classifier) -> list[Lattice]:
    """The atoms of each line -> all ways to read it; all groups of atoms are shown to the classifier together.

    Raises:
        DataError: there are more than MOST_GROUPS, as on a page of print.
    """
    steps = [_steps(line, line_height(line)) for line in lines]
    if sum(map(len, steps)) > MOST_GROUPS:
        raise DataError(
            f"expected lines of digits, received {sum(map(len, lines)):,} pieces of ink in lines, as a page of print has. "
            "Cut out the part with the digits."
        )
    pieces = [[joined(line[a:b]) for a, b in mine] for line, mine in zip(lines, steps, strict=True)]
    # Parts of digits and pairs of them look like digits in one place more often than in five.
    steady = Shifted(classifier, 1)
    seen = _seen([piece for of_line in pieces for piece in of_line], steady)
    found, start = [], 0
    for line, mine, of_line in zip(lines, steps, pieces, strict=True):
        rows = slice(start, start + len(mine))
        start += len(mine)
        found.append(_lattice(line, mine, of_line, seen.images[rows], seen.probabilities[rows]))
    return found


class _Seen(NamedTuple):
    """What the model saw, uint8 (n, 28, 28), and what it said, float32 (n, 10)."""

    images: Images
    probabilities: Probabilities


def _seen(pieces: list[Piece], classifier: Classifier) -> _Seen:
    """What the classifier says of each piece; of a long drawn one also as it would be without that, the surer of both.

    In the box of MNIST's digits a 9 with a long tail has hardly a head.
    """
    if not pieces:
        return _Seen(np.zeros((0, 28, 28), np.uint8), np.zeros((0, 10), np.float32))
    long = [n for n, piece in enumerate(pieces) if is_long(piece)]
    shown = [*pieces, *(shortened(pieces[n]) for n in long)]
    images = np.stack([image_of(piece) for piece in shown])
    said = classifier.predict_proba(images)
    count = len(pieces)
    for extra, n in enumerate(long, count):
        if said[extra].max() > said[n].max():
            images[n], said[n] = images[extra], said[extra]
    return _Seen(images[:count], said[:count])


def is_long(piece: Piece) -> bool:
    """Whether a piece is much higher than wide, and more than a single upright stroke."""
    slim = piece.width < LONG * piece.height
    return slim and piece.mass > 1.18 * piece.height * pen_width(piece)


def shortened(piece: Piece) -> Piece:
    """A long piece, pressed to LONG times its width."""
    factor = piece.width / (LONG * piece.height)
    ink = ndimage.zoom(piece.ink, (factor, 1), order=1)
    mask = ndimage.zoom(piece.mask.astype(np.float32), (factor, 1), order=1) > 0.5
    return Piece(piece.top, piece.left, ink, mask)


def image_of(piece: Piece) -> NDArray[np.uint8]:
    """A piece -> what the model sees, uint8 (28, 28)."""
    peak = float(np.percentile(piece.ink[piece.mask], 80))
    # The edge of a stroke, at EDGE of its peak, becomes 0.5, where `frame` looks for it.
    return frame(np.clip((piece.ink / max(peak, 1e-6) - EDGE) / 0.5 + 0.5, 0, 1))


def line_height(line: Sequence[Piece]) -> float:
    """The height of a line's digits: of the pieces that its atoms were cut from, the middle one by ink."""
    parts: dict[int, list[Piece]] = {}
    for number, atom in enumerate(line):
        parts.setdefault(atom.whole if atom.whole >= 0 else -1 - number, []).append(atom)
    return height_of_digits([joined(whole) for whole in parts.values()])


def _steps(line: Sequence[Piece], height: float) -> list[tuple[int, int]]:
    """The groups of neighbouring atoms that may be one digit: (first, after the last)."""
    found = []
    for first in range(len(line)):
        left = line[first].left
        right = left
        for last in range(first, min(first + MOST_ATOMS, len(line))):
            left = min(left, line[last].left)
            right = max(right, line[last].left + line[last].mask.shape[1])
            if last > first and right - left > WIDEST * height:
                break
            found.append((first, last + 1))
    return found


def _lattice(
    line: Sequence[Piece],
    steps: list[tuple[int, int]],
    pieces: list[Piece],
    images: Images,
    probabilities: Probabilities,
) -> Lattice:
    height, count = line_height(line), len(line)
    evidence = np.zeros((len(steps) + count, len(Costs._fields)), np.float32)
    of = {name: evidence[:, number] for number, name in enumerate(Costs._fields)}
    tall = np.array([max(p.height, 1) for p in pieces], np.float32) / height
    wide = np.array([max(p.width, 1) for p in pieces], np.float32) / height
    groups = slice(0, len(steps))
    of["digit"][groups] = 1
    of["low"][groups] = np.log(np.minimum(tall, 1)) ** 2
    of["high"][groups] = np.log(np.maximum(tall, 1)) ** 2
    of["off"][groups] = _off_the_line(line, pieces, height)
    of["wide"][groups] = np.maximum(wide - 1.2, 0)
    sure = probabilities.max(axis=1)
    of["doubt"][groups] = np.clip((DOUBTFUL - sure) / (DOUBTFUL - SENSELESS), 0, 1)
    alone = [row for row, (first, after) in enumerate(steps) if after == first + 1]
    clear = sure[alone] ** 4
    parts = Counter(p.whole for p in line)
    lone = [float(c) * (parts[p.whole] == 1) for p, c in zip(line, clear, strict=True)]
    bonds = [_bond(a, b, height) for a, b in zip(line, line[1:], strict=False)]
    for row, (first, after) in enumerate(steps):
        inside = bonds[first : after - 1]
        of["join"][row] = sum(bond.join for bond in inside)
        of["distance"][row] = sum(bond.distance for bond in inside)
        of["absorb"][row] = sum(
            bond.join * max(lone[n], lone[n + 1]) for n, bond in enumerate(inside, first)
        )
        if first:
            of["part"][row] = bonds[first - 1].over
    firsts = [line[first] for first, _ in steps] + list(line)
    of["cut"][:] = [p.cut for p in firsts]
    of["through"][:] = [max(p.cut - 1.1, 0) for p in firsts]
    left_out = slice(len(steps), None)
    of["leave"][left_out] = 1
    # A dash that stands alone is a sign; one that was cut off is the tail of a digit.
    of["size"][left_out] = [
        max(p.height, p.width * (0.4 if parts[p.whole] == 1 else 1)) / height for p in line
    ]
    of["clear"][left_out] = clear
    look = -np.log(np.maximum(probabilities, np.exp(-MOST_SURPRISE)))
    odd = (np.log(wide / tall)[:, None] - ASPECT) / ASPECT_SPREAD
    surprise = np.stack([look, np.minimum(odd**2 / 2, MOST_ODD)], axis=2)
    ways = np.array(steps + [(n, n + 1) for n in range(count)], np.intp)
    return Lattice(count, ways, pieces, images, probabilities, evidence, surprise)


def _off_the_line(
    line: Sequence[Piece], pieces: Sequence[Piece], height: float
) -> NDArray[np.float64]:
    """How far each piece is above or below the middle of the line there, in heights: (len(pieces),)."""
    # What was cut into low parts alone is no digit; still it is told.
    x, y = np.array(
        [p.middle for p in line if p.height >= 0.6 * height] or [p.middle for p in line]
    ).T
    slope, at = np.polyfit(x - x[0], y, 1) if np.ptp(x) > 3 * height else (0.0, np.median(y))
    places = np.array([p.middle for p in pieces])
    tall = np.array([p.height for p in pieces])
    from_middle = np.abs(places[:, 1] - at - slope * (places[:, 0] - x[0]))
    off: NDArray[np.float64] = np.maximum(from_middle - tall / 2, 0) / height
    return off


class _Bond(NamedTuple):
    """Of neighbours that were not cut apart: whether they stand apart, how far, and how much one covers the other."""

    join: float
    distance: float
    over: float


def _bond(a: Piece, b: Piece, height: float) -> _Bond:
    if a.whole == b.whole >= 0:
        return _Bond(0.0, 0.0, 0.0)
    gap = max(a.left, b.left) - min(a.left + a.width, b.left + b.width)
    over = min(max(-gap / max(min(a.width, b.width), 1), 0.0), 1.0)
    return _Bond(max(1 - 2.5 * over, 0), max(gap, 0) / height, over)


def prices(lattice: Lattice, costs: Costs) -> NDArray[np.float32]:
    """What each of the first steps costs as each digit, float32 (len(pieces), 10)."""
    weights = np.array(costs, np.float32)
    fixed = lattice.evidence[: len(lattice.pieces)] @ weights
    return fixed[:, None] + lattice.surprise @ weights[:2]


def cheapest(lattice: Lattice, costs: Costs) -> list[Reading]:
    """The reading of a line against which least speaks."""
    groups = len(lattice.pieces)
    price = np.concatenate(
        [
            prices(lattice, costs).min(axis=1),
            lattice.evidence[groups:] @ np.array(costs, np.float32),
        ]
    )
    total = np.full(lattice.count + 1, np.inf)
    total[0] = 0
    came = np.zeros(lattice.count + 1, np.intp)
    for step in np.argsort(lattice.steps[:, 1], kind="stable"):
        first, after = lattice.steps[step]
        if total[first] + price[step] < total[after]:
            total[after], came[after] = total[first] + price[step], step
    found, end = [], lattice.count
    while end:
        step = came[end]
        if step < groups:
            found.append(
                Reading(lattice.pieces[step], lattice.images[step], lattice.probabilities[step])
            )
        end = int(lattice.steps[step, 0])
    return found[::-1]
