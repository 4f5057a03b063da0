"""The atoms of a line -> its digits: which atoms belong together, and what each group shows.

Every group of neighbouring atoms that may be one digit is shown to the classifier once, all groups of a page
together; then the cheapest way through each line is found by dynamic programming. Costs are in nats, as
-log(probability) is. Source: Burges et al. 1992, "Shortest path segmentation".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import Classifier, Images, Probabilities
from tenfold.pictures import frame
from tenfold.reading.pieces import Piece, joined

MOST_ATOMS = 7
"""In one digit."""
WIDEST = 1.75
"""A group of several atoms, in heights of a digit."""


@dataclass(frozen=True)
class Costs:
    """What speaks against a reading, in nats; lengths in heights of the line's digits."""

    digit: float = 0.35
    cut: float = 0.55  # for each width of the pen cut through
    join: float = 1.0  # of two pieces that do not touch, at no distance
    distance: float = 9.0  # between joined pieces
    part: float = 2.2  # of two pieces that stand one above the other, taken as two digits
    size: float = 2.0  # log(height), squared
    wide: float = 5.0  # wider than high, over 1.1
    drop: float = 9.0  # leaving out an atom, times its size
    look: float = 4.0  # for each nat of the model
    surest: float = 12.0  # nothing costs more than this for what it looks like


COSTS = Costs()


@dataclass(frozen=True, eq=False)
class Reading:
    """One digit of a line: the piece of ink, what the model saw of it and said."""

    piece: Piece
    image: NDArray[np.uint8]
    probabilities: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _Group:
    first: int
    last: int
    piece: Piece


def read_lines(
    lines: Sequence[Sequence[Piece]], classifier: Classifier, costs: Costs = COSTS
) -> list[list[Reading]]:
    """The atoms of each line, from left to right -> its digits."""
    heights = [line_height(line) for line in lines]
    groups = [_groups(line, height) for line, height in zip(lines, heights, strict=True)]
    images = [image_of(group.piece) for line in groups for group in line]
    if not images:
        return []
    probabilities = classifier.predict_proba(np.stack(images))
    found, start = [], 0
    for line, height, mine in zip(lines, heights, groups, strict=True):
        rows = slice(start, start + len(mine))
        start += len(mine)
        found.append(_best(line, height, mine, np.stack(images[rows]), probabilities[rows], costs))
    return found


def image_of(piece: Piece) -> NDArray[np.uint8]:
    """A piece -> what the model sees, uint8 (28, 28)."""
    peak = float(np.percentile(piece.ink[piece.mask], 80))
    return frame(np.clip((piece.ink / max(peak, 1e-6) - 0.13) / 0.5, 0, 1))


def line_height(line: Sequence[Piece]) -> float:
    """The height of a line's digits: that of the middle one, by mass of ink."""
    heights = np.array([p.height for p in line], float)
    order = np.argsort(heights)
    mass = np.cumsum(np.array([p.mass for p in line])[order])
    return float(heights[order][np.searchsorted(mass, mass[-1] / 2)])


def _groups(line: Sequence[Piece], height: float) -> list[_Group]:
    groups = []
    for first in range(len(line)):
        right = line[first].left
        left = line[first].left
        for last in range(first, min(first + MOST_ATOMS, len(line))):
            left = min(left, line[last].left)
            right = max(right, line[last].left + line[last].mask.shape[1])
            if last > first and right - left > WIDEST * height:
                break
            groups.append(_Group(first, last, joined(line[first : last + 1])))
    return groups


def _best(
    line: Sequence[Piece],
    height: float,
    groups: Sequence[_Group],
    images: Images,
    probabilities: Probabilities,
    costs: Costs,
) -> list[Reading]:
    """The cheapest way through a line."""
    count = len(line)
    total = np.full(count + 1, np.inf)
    total[0] = 0
    came: list[int] = [-1] * (count + 1)  # the group that ends here, or -1 where an atom is left out
    ending: dict[int, list[int]] = {}
    for number, group in enumerate(groups):
        ending.setdefault(group.last, []).append(number)
    seams = [0.0] + [_seam(a, b, height, costs) for a, b in zip(line, line[1:], strict=False)]
    looks = np.minimum(-costs.look * np.log(np.maximum(probabilities.max(axis=1), 1e-9)), costs.surest)
    for end in range(count):
        atom = line[end]
        size = max(atom.height, atom.width) / height
        total[end + 1] = total[end] + costs.drop * size**1.5
        for number in ending[end]:
            group = groups[number]
            inside = sum(
                _join(a, b, height, costs)
                for a, b in zip(line[group.first : end], line[group.first + 1 : end + 1], strict=True)
            )
            price = float(looks[number]) + inside + _shape(group.piece, height, costs)
            price += total[group.first] + seams[group.first]
            if price < total[end + 1]:
                total[end + 1], came[end + 1] = price, number
    found, end = [], count
    while end:
        number = came[end]
        if number < 0:
            end -= 1
            continue
        found.append(Reading(groups[number].piece, images[number], probabilities[number]))
        end = groups[number].first
    return found[::-1]


def _gap(a: Piece, b: Piece) -> float:
    """The distance from a to b along the line; below 0 where one stands above the other."""
    return max(a.left, b.left) - min(a.left + a.mask.shape[1], b.left + b.mask.shape[1]) + 2


def _seam(a: Piece, b: Piece, height: float, costs: Costs) -> float:
    """What it costs that b begins another digit than a's."""
    if b.cut:
        return costs.cut * b.cut
    over = -_gap(a, b) / max(min(a.width, b.width), 1)
    return costs.part * min(max(over - 0.3, 0) / 0.5, 1)


def _join(a: Piece, b: Piece, height: float, costs: Costs) -> float:
    """What it costs that a and b are of one digit."""
    if b.cut:
        return 0.0
    over = -_gap(a, b) / max(min(a.width, b.width), 1)
    if over > 0.3:
        return 0.0
    return costs.join + costs.distance * max(_gap(a, b), 0) / height


def _shape(piece: Piece, height: float, costs: Costs) -> float:
    tall = max(piece.height, 1) / height
    wide = piece.width / max(piece.height, 1)
    return (
        costs.digit
        + costs.size * float(np.log(tall)) ** 2
        + costs.wide * max(wide - 1.1, 0)
    )
