"""Pages drawn from known digits: what a photo of handwriting looks like, with the strings that are on it.

MNIST's digits are thinned to a line one pixel wide and drawn again with a pen of any width, at any
size, on plain, ruled or squared paper or into the boxes of a form; then photographed: a desk around
the paper, an angle, a shadow, blur, noise, JPEG. All chance comes from one generator.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

Colour = tuple[int, int, int]
Grey = NDArray[np.float64]
Glyph = NDArray[np.uint8] | str

THINNING_SCALE = 4


@dataclass(frozen=True)
class Style:
    """How a page is written and photographed; lengths in pixels, or as shares of a digit's height."""

    height: int = 48
    pen: float = 3.0
    ink: Colour = (30, 35, 60)
    paper: Colour = (235, 232, 225)
    strength: float = 1.0  # of the ink: a faint pencil has 0.3
    gap: float = 0.25  # between digits, in heights; below 0 they touch
    lines_apart: float = 1.9  # from one line to the next, in heights
    uneven: float = 0.08  # how much sizes and places differ, in heights
    sizes: float = (
        0.0  # how much the heights of digits differ: standard deviation of their logarithms
    )
    slope: float = 0.0  # of the lines, in degrees; upwards
    rulings: str = "none"  # none, ruled, squared, boxes or underlines
    ruling_ink: Colour = (150, 175, 210)
    desk: Colour | None = None
    angle: float = 0.0  # how far the corners of the photo move, as a share of its sides
    shadow: float = 0.0  # how much light it takes
    blur: float = 0.0
    noise: float = 0.0
    jpeg: int = 0  # quality; 0 is none


PAPERS = {
    "plain": Style(),
    "a thin pen": Style(pen=1.8, height=40),
    "a marker": Style(pen=7.0, height=60),
    "a small hand": Style(height=24, pen=1.8),
    "a large one": Style(height=150, pen=8.0),
    "digits of many sizes": Style(sizes=0.15),
    "lines that rise": Style(slope=6.0),
    "lines that fall": Style(slope=-9.0),
    "crowded lines": Style(lines_apart=1.25, gap=0.12),
    "ruled paper": Style(rulings="ruled", lines_apart=1.5),
    "squared paper": Style(rulings="squared"),
    "squared paper, turned": Style(rulings="squared", slope=4.0),
    "boxes of a form": Style(rulings="boxes", ruling_ink=(60, 60, 60), uneven=0.03),
    "underlined": Style(rulings="underlines", ruling_ink=(40, 40, 60)),
    "a faint pencil": Style(strength=0.35, ink=(70, 70, 75), noise=3.0),
    "chalk on a board": Style(ink=(240, 240, 235), paper=(35, 60, 50), noise=3.0),
    "blue on yellow": Style(ink=(40, 60, 170), paper=(230, 220, 110)),
    "a desk around, from an angle": Style(desk=(70, 55, 45), angle=0.06),
    "a shadow across": Style(shadow=0.6, noise=2.0),
    "out of focus": Style(blur=1.8),
    "noise and JPEG": Style(noise=8.0, jpeg=50),
}
"""Kinds of pages."""
TOUCHING = Style(gap=-0.02)


def thinned(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """A digit uint8 (28, 28) -> its middle line, bool (112, 112).

    Source: Zhang & Suen 1984, "A fast parallel algorithm for thinning digital patterns".
    """
    large = ndimage.zoom(image.astype(float), THINNING_SCALE, order=3)
    on = np.pad(large > 110, 1)
    changed = True
    while changed:
        changed = False
        for turn in (0, 1):
            # The eight neighbours, clockwise from above.
            p = [
                np.roll(on, shift, (0, 1))
                for shift in ((1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1))
            ]
            count = sum(q.astype(int) for q in p)
            rises = sum((~p[i] & p[(i + 1) % 8]).astype(int) for i in range(8))
            up, right, down, left = p[0], p[2], p[4], p[6]
            if turn == 0:
                free = ~(up & right & down) & ~(right & down & left)
            else:
                free = ~(up & right & left) & ~(up & down & left)
            drop = on & (count >= 2) & (count <= 6) & (rises == 1) & free
            on, changed = on & ~drop, changed or bool(drop.any())
    return on[1:-1, 1:-1]


def written(image: Glyph, height: float, pen: float) -> Grey:
    """A digit uint8 (28, 28), or a sign, written with a pen of some width -> ink (h, w) in 0..1, cut to its box."""
    if isinstance(image, str):
        return _sign(image, height, pen)
    rows, columns = np.nonzero(thinned(image))
    points = np.stack([rows - rows.min(), columns - columns.min()], axis=1).astype(float)
    points *= (height - pen) / max(np.ptp(points[:, 0]), 0.55 * np.ptp(points[:, 1]), 1.0)
    margin = int(np.ceil(pen / 2)) + 1
    shape = tuple(int(np.ceil(extent)) + 2 * margin + 1 for extent in points.max(axis=0))
    # Twice as fine as the page, so that gaps between the enlarged points close.
    away = np.ones((2 * shape[0], 2 * shape[1]), bool)
    steps = np.round(2 * (points + margin)).astype(int)
    away[steps[:, 0], steps[:, 1]] = False
    reach = 2 * (height - pen) / (20 * THINNING_SCALE) + 1
    near = ndimage.distance_transform_edt(away) / 2
    if reach > 1.5:  # join points that enlarging has moved apart
        line = ndimage.binary_closing(
            ~away, ndimage.generate_binary_structure(2, 2), iterations=int(reach)
        )
        near = ndimage.distance_transform_edt(~line) / 2
    ink = np.clip(pen / 2 + 0.5 - near, 0, 1)
    return ink.reshape(shape[0], 2, shape[1], 2).mean(axis=(1, 3))


def chosen(
    strings: Sequence[str],
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    rng: np.random.Generator,
) -> list[list[Glyph]]:
    """A picture of each digit of each string, by chance; signs (`.`, `,`, `-`) stay what they are."""
    return [
        [images[rng.choice(np.flatnonzero(labels == int(d)))] if d.isdigit() else d for d in text]
        for text in strings
    ]


def draw(
    glyphs: Sequence[Sequence[Glyph]], style: Style, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Lines of digits uint8 (28, 28) -> the photo, uint8 (h, w, 3)."""
    h = style.height
    inks = [
        [written(g, h * _size(style, rng), style.pen * rng.uniform(0.9, 1.1)) for g in line]
        for line in glyphs
    ]
    boxed = style.rulings == "boxes"
    cell = 1.5 * h
    widest = max(
        len(line) * cell
        if boxed
        else sum(i.shape[1] for i in line) + abs(style.gap) * h * len(line)
        for line in inks
    )
    # Who writes on a ruling follows it: there the whole page is turned, at the end.
    tilt = np.tan(np.radians(style.slope)) if style.rulings == "none" else 0.0
    margin = 1.2 * h
    height = round(len(inks) * style.lines_apart * h + 2 * margin + abs(tilt) * widest)
    width = round(widest * (1 + style.uneven) + 2 * margin + h)
    page, rulings = np.zeros((height, width)), np.zeros((height, width))
    for number, line in enumerate(inks):
        base = margin + (number + 1) * style.lines_apart * h - 0.4 * h + max(tilt, 0) * widest
        x = margin + rng.uniform(0, 0.7) * h
        start = x
        for ink in line:
            if boxed:
                left = round(x)
                _frame(rulings, round(base - 1.25 * h), left, round(1.5 * h), round(cell))
                at = x + (cell - ink.shape[1]) / 2 + style.uneven * h * rng.uniform(-1, 1)
                x += cell
            else:
                at = x
                x += ink.shape[1] + h * (style.gap + style.uneven * rng.uniform(-1, 1))
            y = base - ink.shape[0] - tilt * (at - margin) + style.uneven * h * rng.uniform(-1, 1)
            y -= (h - ink.shape[0]) * rng.uniform(0, 1) * (style.sizes > 0)
            _put(page, ink, round(y), round(at))
        if style.rulings == "underlines":
            thick = max(1, round(h / 25))
            y = round(base + 0.12 * h)
            rulings[y : y + thick, round(start - 0.2 * h) : round(x + 0.2 * h)] = 1
    if style.rulings in ("ruled", "squared"):
        _rule(rulings, style, rng)
    return photographed(page, rulings, style, rng)


def photographed(
    page: Grey, rulings: Grey, style: Style, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Ink and rulings (h, w) in 0..1 -> the photo of that page, uint8 (h, w, 3)."""
    strength = style.strength
    if strength < 1:  # a pencil leaves grains of paper free
        strength = strength * (
            1 + 0.25 * ndimage.gaussian_filter(rng.standard_normal(page.shape), 0.7)
        )
    paper = np.array(style.paper, float)
    ruled = paper + rulings[..., None] * (np.array(style.ruling_ink, float) - paper)
    cover = np.clip(page * strength, 0, 1)[..., None]
    ink = np.array(style.ink, float)
    # Ink that is darker than its paper darkens a ruling too; chalk covers it.
    over = np.minimum(ruled, ink) if sum(style.ink) < sum(style.paper) else ink
    picture = ruled + cover * (over - ruled)
    if style.slope and style.rulings != "none":
        picture = _turned(picture, style)
    if style.desk is not None:
        picture = _on_desk(picture, style.desk, rng)
    if style.angle:
        picture = _from_an_angle(picture, style, rng)
    if style.shadow:
        picture = picture * _light(picture.shape[:2], style.shadow, rng)[..., None]
    if style.blur:
        picture = ndimage.gaussian_filter(picture, (style.blur, style.blur, 0))
    picture = picture + rng.normal(0, max(style.noise, 1e-9), picture.shape)
    result = np.clip(np.round(picture), 0, 255).astype(np.uint8)
    if style.jpeg:
        packed = BytesIO()
        Image.fromarray(result).save(packed, "JPEG", quality=style.jpeg)
        result = np.asarray(Image.open(packed))
    return result


def distance(found: Sequence[str], wanted: Sequence[str]) -> int:
    """Edits between two pages, a line break counting as one character (Levenshtein 1966)."""
    a, b = "\n".join(found), "\n".join(wanted)
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, right in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (left != right))
    return row[-1]


def _size(style: Style, rng: np.random.Generator) -> float:
    size = 1 + style.uneven * rng.uniform(-1, 1)
    if style.sizes:
        size *= np.exp(np.clip(style.sizes * rng.standard_normal(), -0.9, 0.5))
    return float(size)


def _sign(sign: str, height: float, pen: float) -> Grey:
    """A dot or comma on the line, or a dash at half its height; what is below it is empty."""
    if sign == "-":
        ink = np.zeros((round(0.5 * height), round(0.4 * height)))
        ink[: round(pen)] = 1
        return ink
    ink = np.zeros((round(1.2 * pen) if sign == "." else round(0.3 * height), round(1.2 * pen)))
    ink[:] = 1
    return ink


def _put(page: Grey, ink: Grey, top: int, left: int) -> None:
    top, left = max(top, 0), max(left, 0)
    place = page[top : top + ink.shape[0], left : left + ink.shape[1]]
    np.maximum(place, ink[: place.shape[0], : place.shape[1]], out=place)


def _frame(page: Grey, top: int, left: int, height: int, width: int) -> None:
    thick = max(1, height // 40)
    for y in (top, top + height):
        page[y : y + thick, left : left + width + thick] = 1
    for x in (left, left + width):
        page[top : top + height, x : x + thick] = 1


def _rule(page: Grey, style: Style, rng: np.random.Generator) -> None:
    """Rulings one line apart, or squares of half a digit to a whole one, across the whole page."""
    thick = max(1, round(style.height / 30))
    apart = style.lines_apart * style.height
    if style.rulings == "squared":
        apart = style.height * rng.uniform(0.5, 1.1)
        for x in np.arange(rng.uniform(0, apart), page.shape[1], apart):
            page[:, round(x) : round(x) + thick] = 1
    for y in np.arange(rng.uniform(0, apart), page.shape[0], apart):
        page[round(y) : round(y) + thick] = 1


def _turned(picture: Grey, style: Style) -> Grey:
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    bicubic = Image.Resampling.BICUBIC
    return np.asarray(image.rotate(style.slope, bicubic, expand=True, fillcolor=style.paper), float)


def _on_desk(picture: Grey, desk: Colour, rng: np.random.Generator) -> Grey:
    margin = round(0.06 * max(picture.shape))
    shape = (picture.shape[0] + 2 * margin, picture.shape[1] + 2 * margin)
    grain = ndimage.gaussian_filter(rng.standard_normal(shape), (1, 12)) * 25
    placed = np.array(desk, float) + grain[..., None]
    placed[margin:-margin, margin:-margin] = picture
    return placed


def _from_an_angle(picture: Grey, style: Style, rng: np.random.Generator) -> Grey:
    """Each corner moves inwards by up to `angle` of the sides; what comes in is desk or paper."""
    height, width = picture.shape[:2]
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], float)
    inwards = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)], float)
    moved = corners + inwards * rng.uniform(0, style.angle, (4, 2)) * (width, height)
    rows, wanted = [], []
    for (x, y), (u, v) in zip(moved, corners, strict=True):
        rows += [(x, y, 1, 0, 0, 0, -u * x, -u * y), (0, 0, 0, x, y, 1, -v * x, -v * y)]
        wanted += [u, v]
    terms = np.linalg.solve(np.array(rows), np.array(wanted))
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    turned = image.transform(
        image.size, Image.Transform.PERSPECTIVE, terms.tolist(), Image.Resampling.BICUBIC,
        fillcolor=style.desk or style.paper,
    )  # fmt: skip
    return np.asarray(turned, float)


def _light(shape: tuple[int, int], shadow: float, rng: np.random.Generator) -> Grey:
    """A fall of light across the photo, and the soft edge of a shadow, as factors."""
    y, x = np.mgrid[: shape[0], : shape[1]] / np.array(shape)[:, None, None]
    turn, edge = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 0.7)
    along = (x - 0.5) * np.cos(turn) + (y - 0.5) * np.sin(turn) + 0.5
    return (1 - 0.3 * shadow * along) * (1 - shadow / (1 + np.exp(-(along - edge) / 0.02)))
