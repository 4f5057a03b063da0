"""Augmentation: changes to a picture that leave its label true, as values; and chance turned into numbers.

A Recipe lists what may happen to a picture; `draw` decides for every image of an epoch how far it
goes, and `Warps` holds the outcome as numbers that an engine only has to apply. So image i of epoch
e looks the same in every engine, whatever the order in which images come.

A warp is a map from a place in the new picture to a place in the old one, between whose pixels the
value is found by bilinear interpolation; beyond the frame there is no ink. A patch of the result may
then be blanked. Knows nothing about recipes, engines or networks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import SIDE, Images
from tenfold.errors import RecipeError
from tenfold.values import check_number, check_type, check_whole

Floats = NDArray[np.float32]

CENTRE = (SIDE - 1) / 2

# Control points of a bend along each axis, and the width of the bell that each one moves: Simard,
# Steinkraus & Platt 2003 smooth their random field by a Gaussian of 4 pixels, too smooth for points
# 4.5 pixels apart to show.
POINTS = 7
BELL_PIXELS = 4.0

# More of a digit's ink than this is never blanked: a 7 without its bar is a 1.
MOST_INK_CUT = 1 / 3


@dataclass(frozen=True)
class Shift:
    """By up to `pixels` down or up, and right or left, but never so far that ink leaves the frame."""

    pixels: float = 2.0

    def __post_init__(self) -> None:
        check_number("Shift.pixels", self.pixels, 0.0, SIDE)


@dataclass(frozen=True)
class Rotate:
    """About the centre by up to `degrees` either way."""

    degrees: float = 10.0

    def __post_init__(self) -> None:
        check_number("Rotate.degrees", self.degrees, 0.0, 45.0)


@dataclass(frozen=True)
class Scale:
    """Height and width, each on its own, by a factor from 1 / (1 + share) to 1 + share."""

    share: float = 0.1

    def __post_init__(self) -> None:
        check_number("Scale.share", self.share, 0.0, 1.0)


@dataclass(frozen=True)
class Shear:
    """Slanted by up to `degrees` from upright, either way."""

    degrees: float = 10.0

    def __post_init__(self) -> None:
        check_number("Shear.degrees", self.degrees, 0.0, 45.0)


@dataclass(frozen=True)
class Elastic:
    """Every place moved by a smooth random field whose standard deviation is `pixels` on each axis.

    Source: Simard, Steinkraus & Platt 2003; their strength of 34 is 1.4 pixels.
    """

    pixels: float = 1.0

    def __post_init__(self) -> None:
        check_number("Elastic.pixels", self.pixels, 0.0, 4.0)


@dataclass(frozen=True)
class Cutout:
    """A square patch of `side` pixels blanked, its centre anywhere in the picture, unless it
    holds more than a third of the ink (DeVries & Taylor 2017; the exception is ours)."""

    side: int = 8

    def __post_init__(self) -> None:
        check_whole("Cutout.side", self.side, 1, SIDE)


Augmentation = Shift | Rotate | Scale | Shear | Elastic | Cutout
AUGMENTATIONS: tuple[type[Augmentation], ...] = (Shift, Rotate, Scale, Shear, Elastic, Cutout)

# In which they happen. That of a hand: the digit is slanted, stretched and turned, then put somewhere.
ORDER: tuple[type[Augmentation], ...] = (Shear, Scale, Rotate, Shift, Elastic, Cutout)


class Warps(NamedTuple):
    """What happens to each of n images, as numbers.

    Attributes:
        affine: (n, 2, 3): the place (row, column) in the old picture is affine @ (row, column, 1) of the
            place in the new one, both counted from the centre.
        bends: (n, 2, POINTS ** 2) pixels, or None: rows and columns further on at each control point;
            a place moves by `bend_basis` of them.
        patches: (n, 2) or None: the first row and column of a patch of `patch_side` pixels to blank.
        patch_side: its side.
    """

    affine: Floats
    bends: Floats | None
    patches: Floats | None
    patch_side: int


def check_augmentation(owner: str, steps: object) -> None:
    """A tuple of augmentations, no kind twice, or RecipeError."""
    listed = check_type(owner, steps, tuple)
    kinds = [type(check_type(f"a part of {owner}", step, *AUGMENTATIONS)) for step in listed]
    for kind in kinds:
        if kinds.count(kind) > 1:
            raise RecipeError(f"{owner}: expected each kind once, received {kind.__name__} twice.")


def bend_basis() -> Floats:
    """(POINTS ** 2, 784): how far each control point moves each pixel.

    Bells around a grid of points, scaled so that independent control values of standard deviation s
    move every pixel by standard deviation s.
    """
    points = np.linspace(0, SIDE - 1, POINTS)
    bells = np.exp(-((np.arange(SIDE)[:, None] - points) ** 2) / (2 * BELL_PIXELS**2))
    basis = np.einsum("ra,cb->abrc", bells, bells).reshape(POINTS**2, SIDE**2)
    return np.asarray(basis / np.sqrt((basis**2).sum(axis=0)), np.float32)


def pixel_places() -> Floats:
    """(3, 784): row and column of each pixel, counted from the centre, and 1."""
    rows, columns = np.indices((SIDE, SIDE)).reshape(2, -1) - CENTRE
    return np.stack([rows, columns, np.ones(SIDE**2)]).astype(np.float32)


def ink_boxes(images: Images) -> Floats:
    """Images uint8 (n, 28, 28) -> (n, 2, 2): first and last row, first and last column with ink,
    counted from the centre. A picture without ink has its box at the centre."""
    boxes = np.zeros((len(images), 2, 2), np.float32)
    for axis in (0, 1):
        inked = images.max(axis=2 - axis) > 0
        boxes[:, axis, 0] = inked.argmax(axis=1) - CENTRE
        boxes[:, axis, 1] = SIDE - 1 - inked[:, ::-1].argmax(axis=1) - CENTRE
    boxes[images.max(axis=(1, 2)) == 0] = 0
    return boxes


def draw(steps: Sequence[Augmentation], boxes: Floats, chance: np.random.Generator) -> Warps:
    """What happens to each image of an epoch.

    Args:
        steps: what may happen.
        boxes: (n, 2, 2), the images' `ink_boxes`.
        chance: every kind draws from a stream of its own, so adding one leaves the others as they were.
    """
    images = len(boxes)
    streams = dict(zip(AUGMENTATIONS, chance.spawn(len(AUGMENTATIONS)), strict=True))
    forward = np.tile(np.eye(2, dtype=np.float32), (images, 1, 1))
    shift = np.zeros((images, 2), np.float32)
    bends = patches = None
    side = 0
    for step in sorted(steps, key=lambda step: ORDER.index(type(step))):
        own = streams[type(step)]
        match step:
            case Shear(degrees):
                forward = _shears(own, degrees, images) @ forward
            case Scale(share):
                forward = _scales(own, share, images) @ forward
            case Rotate(degrees):
                forward = _rotations(own, degrees, images) @ forward
            case Shift(pixels):
                shift = _shifts(own, pixels, boxes, forward)
            case Elastic(pixels):
                bends = pixels * own.standard_normal((images, 2, POINTS**2), np.float32)
            case Cutout(side):
                patches = own.integers(SIDE, size=(images, 2)) - np.float32(side // 2)
                patches = patches.astype(np.float32)
    backward = np.linalg.inv(forward)
    affine = np.concatenate([backward, -backward @ shift[:, :, None]], axis=2)
    return Warps(affine, bends, patches, side)


def _uniform(chance: np.random.Generator, most: float, size: int | tuple[int, int]) -> Floats:
    return (most * (2 * chance.random(size, np.float32) - 1)).astype(np.float32)


def _shears(chance: np.random.Generator, degrees: float, images: int) -> Floats:
    matrices = np.tile(np.eye(2, dtype=np.float32), (images, 1, 1))
    matrices[:, 1, 0] = np.tan(_uniform(chance, math.radians(degrees), images))
    return matrices


def _scales(chance: np.random.Generator, share: float, images: int) -> Floats:
    matrices = np.zeros((images, 2, 2), np.float32)
    matrices[:, [0, 1], [0, 1]] = np.exp(_uniform(chance, math.log1p(share), (images, 2)))
    return matrices


def _rotations(chance: np.random.Generator, degrees: float, images: int) -> Floats:
    angles = _uniform(chance, math.radians(degrees), images)
    cosines, sines = np.cos(angles), np.sin(angles)
    return np.stack([cosines, sines, -sines, cosines], axis=1).reshape(images, 2, 2)


def _shifts(chance: np.random.Generator, pixels: float, boxes: Floats, forward: Floats) -> Floats:
    """How far each digit goes, (n, 2): evenly within `pixels` and within the margin it has when turned."""
    corners = np.stack([boxes[:, [0, 1], [i, j]] for i in (0, 1) for j in (0, 1)], axis=2)
    turned = forward @ corners
    least = np.maximum(-CENTRE - turned.min(axis=2), -pixels)
    most = np.minimum(CENTRE - turned.max(axis=2), pixels)
    # A box that has grown too large for its frame has no room to move.
    least, most = np.minimum(least, 0), np.maximum(most, 0)
    reached = least + (most - least) * chance.random(least.shape, np.float32)
    return np.asarray(reached, np.float32)
