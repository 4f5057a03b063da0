"""Pictures that show no digit, drawn by chance: what a model must see to know when not to answer.

Letters, signs, scribbles, noise, blank paper, and digits so damaged or turned that they are none any more.
Letters and signs that many people write as they write a digit (O, U, I, S, Z, B, G, q, a square, ...) are left out:
no rule could tell them. Knows nothing about what learns from them.

To show a network pictures of no class, with every class as likely, is outlier exposure
(Hendrycks et al. 2019, arXiv 1812.04606).
"""

from collections.abc import Callable

import numpy as np

from tenfold.digits import SIDE, Digits, Images
from tenfold.pictures.framing import frame
from tenfold.pictures.pen import smooth, strokes_of, written

# As `pen.strokes_of` reads them.
_SIGNS = {
    "A": "0,1 .5,0 1,1; .2,.6 .8,.6",
    "C": "~ .95,.15 .5,0 .1,.4 .2,.85 .6,1 .95,.85",
    "E": "1,0 0,0 0,1 1,1; 0,.5 .8,.5",
    "F": "1,0 0,0 0,1; 0,.45 .75,.45",
    "H": "0,0 0,1; 1,0 1,1; 0,.5 1,.5",
    "K": "0,0 0,1; .9,0 0,.55 1,1",
    "L": "0,0 0,1 .8,1",
    "M": "0,1 .1,0 .5,.7 .9,0 1,1",
    "N": "0,1 0,0 1,1 1,0",
    "P": "0,1 0,0; ~ 0,0 .8,.05 .8,.5 0,.55",
    "R": "0,1 0,0; ~ 0,0 .8,.05 .8,.45 0,.5; .2,.5 .9,1",
    "T": "0,0 1,0; .5,0 .5,1",
    "V": "0,0 .5,1 1,0",
    "W": "0,0 .25,1 .5,.3 .75,1 1,0",
    "X": "0,0 1,1; 1,0 0,1",
    "Y": "0,0 .5,.5 1,0; .5,.5 .5,1",
    "a in print": "~ .1,.2 .5,0 .9,.25 .9,1; ~ .9,.45 .3,.5 .05,.75 .35,1 .9,.75",
    "a": "~ .9,.1 .3,0 0,.5 .3,1 .85,.7; .9,0 .9,.9 1,1",
    "d": "~ .85,.55 .4,.4 .05,.7 .4,1 .85,.8; .9,0 .9,1",
    "e": "~ .1,.5 .95,.5 .7,.05 .2,.1 .05,.6 .4,1 .95,.85",
    "f": "~ .9,.1 .6,0 .45,.3 .45,1; .1,.4 .85,.4",
    "h": "0,0 0,1; ~ 0,.6 .4,.4 .8,.55 .8,1",
    "k": "0,0 0,1; .7,.35 0,.7 .8,1",
    "m": "0,.2 0,1; ~ 0,.5 .25,.2 .5,.45 .5,1; ~ .5,.5 .75,.2 1,.45 1,1",
    "n": "0,.2 0,1; ~ 0,.5 .5,.2 .9,.5 .9,1",
    "r": "0,.2 0,1; ~ 0,.5 .3,.25 .8,.25",
    "r in print": "0,0 0,1; ~ 0,.4 .25,.05 .7,.1",
    "t": "~ .5,0 .5,.8 .7,1 1,.9; .1,.3 .9,.3",
    "w": "~ 0,0 .2,1 .5,.3 .8,1 1,0",
    "x": "~ 0,0 .5,.5 1,1; ~ 1,0 .5,.5 0,1",
    "dagger": ".5,0 .5,1; .15,.3 .85,.3",
    "pi": "0,.1 1,.1; .3,.1 .25,1; .75,.1 .8,1",
    "sigma": "1,0 0,0 .5,.5 0,1 1,1",
    "less": "1,.1 0,.5 1,.9",
    "greater": "0,.1 1,.5 0,.9",
    "brace": "~ .8,0 .45,.1 .45,.4 .1,.5 .45,.6 .45,.9 .8,1",
    "closing brace": "~ .2,0 .55,.1 .55,.4 .9,.5 .55,.6 .55,.9 .2,1",
    "dollar": "~ .9,.2 .5,.1 .15,.3 .5,.5 .85,.7 .5,.9 .1,.8; .5,-.05 .5,1.05",
    "at": "~ .65,.4 .4,.4 .4,.65 .65,.6 .7,.35 .75,.65 .95,.5 .8,.1 .4,0 .05,.4 .1,.8 .5,1 .9,.9",
    "plus": "0,.5 1,.5; .5,0 .5,1",
    "equals": "0,.3 1,.3; 0,.7 1,.7",
    "minus": "0,.5 1,.5",
    "hash": ".3,0 .2,1; .75,0 .65,1; 0,.35 1,.3; 0,.7 1,.65",
    "star": "0,.5 1,.5; .5,0 .5,1; .15,.15 .85,.85; .85,.15 .15,.85",
    "tick": "0,.6 .35,1 1,0",
    "arrow": "0,.5 1,.5; .65,.2 1,.5 .65,.8",
    "triangle": ".5,0 1,1 0,1 .5,0",
    "heart": "~ .5,.3 .25,0 0,.3 .5,1; ~ .5,.3 .75,0 1,.3 .5,1",
    "and": "~ 1,1 .3,.3 .5,0 .7,.25 .1,.7 .4,1 .95,.6",
    "per cent": "1,0 0,1; ~ .2,.05 .05,.2 .2,.35 .35,.2 .2,.05; ~ .8,.65 .65,.8 .8,.95 .95,.8 .8,.65",
    "question": "~ .1,.2 .5,0 .9,.25 .5,.55 .5,.75; .5,.97 .52,1",
    "face": "~ .5,0 0,.5 .5,1 1,.5 .5,0; .3,.35 .32,.4; .68,.35 .7,.4; ~ .3,.65 .5,.8 .7,.65",
}

# What is left of 2, 3, 4, 5, 6, 7 and 9 in a mirror or turned by a quarter is no digit; 0, 1 and 8 stay, and 6
# turned half round is 9.
_HANDED = np.array([2, 3, 4, 5, 6, 7, 9])


def draw_non_digits(count: int, digits: Digits, chance: np.random.Generator) -> Images:
    """Pictures of no digit in canonical form: uint8 (count, 28, 28), of each kind about as many.

    Args:
        count: >= 0.
        digits: labelled ones, from which the damaged ones are made.
        chance: decides all.
    """
    kinds = chance.integers(len(_KINDS), size=count)
    pictures = np.zeros((count, SIDE, SIDE), np.uint8)
    for row, kind in enumerate(kinds):
        pictures[row] = _KINDS[kind](digits, chance)
    return pictures


def _sign(digits: Digits, chance: np.random.Generator) -> Images:
    drawing = _SIGNS[list(_SIGNS)[chance.integers(len(_SIGNS))]]
    return written(strokes_of(drawing, chance), chance)


def _scribble(digits: Digits, chance: np.random.Generator) -> Images:
    """A pen that wanders, in one to three strokes."""
    strokes = [
        smooth(chance.random((chance.integers(6, 14), 2))) for _ in range(chance.integers(1, 4))
    ]
    return written(strokes, chance)


def _zigzag(digits: Digits, chance: np.random.Generator) -> Images:
    turns = int(chance.integers(6, 12))
    points = np.stack([np.linspace(0, 1, turns), np.arange(turns) % 2], axis=1)
    points = points + chance.normal(0, 0.1, points.shape)
    if chance.random() < 0.5:
        points = points[:, ::-1]
    return written([points if chance.random() < 0.5 else smooth(points)], chance)


def _blot(digits: Digits, chance: np.random.Generator) -> Images:
    """A dot, a drop, or another shape that is filled: corners or a bent rim around a middle."""
    from PIL import Image, ImageDraw

    corners = int(chance.integers(3, 9))
    angles = np.sort(chance.random(corners)) + np.arange(corners) * chance.uniform(0.5, 2)
    angles *= 2 * np.pi / (angles[-1] + 1)
    radii = 1 - chance.uniform(0, 0.5) * chance.random(corners)
    if chance.random() < 0.6:
        waves = np.arange(1, 4)
        angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
        heights = chance.uniform(0, 0.25) * chance.normal(size=3) / waves
        radii = 1 + np.cos(angles[:, None] * waves + chance.uniform(0, 6.3, 3)) @ heights
    rim = np.stack([np.cos(angles), np.sin(angles)], axis=1) * radii[:, None]
    rim *= chance.uniform(0.6, 1), chance.uniform(0.6, 1)
    # An upright bar may be a 1.
    wide, high = np.ptp(rim, axis=0)
    rim = rim[:, ::-1] if wide < high * 0.7 else rim
    paper = Image.new("L", (84, 84))
    ImageDraw.Draw(paper).polygon(
        [tuple(point) for point in 42 + 40 * rim / np.abs(rim).max()], 255
    )
    return frame(np.asarray(paper, np.float32) / np.float32(255))


def _noise(digits: Digits, chance: np.random.Generator) -> Images:
    """Grain, specks or blots, over the whole picture or the box of a digit."""
    from scipy.ndimage import gaussian_filter

    kind = chance.integers(4)
    if kind == 0:
        picture = chance.random((SIDE, SIDE)) * chance.uniform(0.2, 1)
    elif kind == 1:
        picture = (chance.random((SIDE, SIDE)) < chance.uniform(0.01, 0.5)).astype(np.float64)
    elif kind == 2:
        coarse = gaussian_filter(chance.normal(size=(SIDE, SIDE)), chance.uniform(0.7, 4))
        picture = np.clip(coarse / np.abs(coarse).max() * 2, 0, 1)
    else:
        blocks = (chance.random((7, 7)) < chance.uniform(0.1, 0.6)).astype(np.float64)
        picture = gaussian_filter(np.kron(blocks, np.ones((4, 4))), chance.uniform(0, 2))
    if chance.random() < 0.5:
        picture[:4] = picture[-4:] = picture[:, :4] = picture[:, -4:] = 0
    return np.asarray(255 * np.clip(picture, 0, 1), np.uint8)


def _blank(digits: Digits, chance: np.random.Generator) -> Images:
    """Nothing, all ink, or a few specks and streaks."""
    picture = np.zeros((SIDE, SIDE), np.uint8)
    if chance.random() < 0.2:
        picture[:] = chance.integers(100, 256)
    elif chance.random() < 0.6:
        for _ in range(chance.integers(1, 6)):
            row, column = chance.integers(SIDE, size=2)
            high, wide = chance.integers(1, 4), chance.integers(2, 6)  # an upright bar may be a 1
            picture[row : row + high, column : column + wide] = chance.integers(60, 256)
    return picture


def _turned(digits: Digits, chance: np.random.Generator) -> Images:
    """A digit in a mirror or on its side."""
    handed = np.flatnonzero(np.isin(digits.known_labels, _HANDED))
    if not len(handed):
        return _patched(digits, chance)
    row = int(chance.choice(handed))
    # In a mirror 2 comes near 5, and 6 near a wide 2; a quarter turn is safe for all.
    if digits.known_labels[row] in (3, 4, 7, 9) and chance.random() < 0.4:
        return digits.images[row, :, ::-1]
    return np.rot90(digits.images[row], int(chance.choice([1, 3])))


def _patched(digits: Digits, chance: np.random.Generator) -> Images:
    """Quarters of different digits, or a digit whose quarters are in each other's places."""
    half = SIDE // 2
    rows = chance.integers(len(digits), size=4)
    order = chance.permutation(4)
    if chance.random() < 0.5:
        rows[:] = rows[0]
        order = np.roll(np.arange(4), chance.integers(1, 4))  # every quarter elsewhere
    corners = [(top, left) for top in (0, half) for left in (0, half)]
    picture = np.zeros((SIDE, SIDE), np.uint8)
    for (top, left), row, source in zip(corners, rows, order, strict=True):
        y, x = corners[source]
        picture[top : top + half, left : left + half] = digits.images[
            row, y : y + half, x : x + half
        ]
    return picture


def _several(digits: Digits, chance: np.random.Generator) -> Images:
    """Two or three digits where there should be one."""
    count = int(chance.integers(2, 4))
    chosen = digits.images[chance.integers(len(digits), size=count)][:, :, 4:24]
    row = np.concatenate(list(chosen), axis=1)
    return frame(np.asarray(row / 255, np.float32))


def _piece(digits: Digits, chance: np.random.Generator) -> Images:
    """A part of a digit, lying: one that stands may be a 1."""
    image = digits.images[int(chance.integers(len(digits)))]
    wide = int(chance.integers(8, 14))
    high = int(chance.integers(5, wide - 1))
    top, left = chance.integers(4, 24 - high), chance.integers(4, 24 - wide)
    piece = image[top : top + high, left : left + wide] / 255
    inked_rows, inked_columns = (piece.max(axis=axis) > 0.5 for axis in (1, 0))
    if np.count_nonzero(inked_rows) > np.count_nonzero(inked_columns):
        piece = piece.T
    return frame(piece.astype(np.float32))


def _negative(digits: Digits, chance: np.random.Generator) -> Images:
    """A digit with ink and paper exchanged, whole or in its box."""
    image: Images = 255 - digits.images[int(chance.integers(len(digits)))]
    if chance.random() < 0.5:
        image[:4] = image[-4:] = image[:, :4] = image[:, -4:] = 0
    return image


# Signs are the most different from each other, and the likest to digits.
_KINDS: tuple[Callable[[Digits, np.random.Generator], Images], ...] = (
    _sign, _sign, _sign, _sign, _sign, _sign, _sign, _sign, _scribble, _scribble, _zigzag, _blot, _noise, _blank, _turned, _patched, _several, _piece,
    _negative,
)  # fmt: skip
