"""Which digits of a line are none: letters that were cut into strokes, and what stands among digits."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tenfold import read
from tenfold.reading.doubt import rejections
from tenfold.reading.lattice import Reading
from tenfold.reading.pieces import Piece

STRINGS = ["3141592", "60718", "2468013579"]


def line(said: str, wholes: list[int] | None = None) -> list[Reading]:
    """A reading for each sign: surely this digit, or ? for one of which nothing is sure; one high, a space a half wide."""
    found, left = [], 0
    for sign in said:
        if sign == " ":
            left += 2
            continue
        n = len(found)
        probabilities = np.full(10, 0.1, np.float32)
        if sign != "?":
            probabilities = np.eye(10, dtype=np.float32)[int(sign)]
        mask = np.ones((6, 4), bool)
        whole = n if wholes is None else wholes[n]
        piece = Piece(0, left, mask.astype(np.float32), mask, whole=whole)
        found.append(Reading(piece, np.zeros((28, 28), np.uint8), probabilities))
        left += 3
    return found


@pytest.mark.parametrize(
    ("said", "wholes", "believed"),
    [
        ("2468", None, "2468"),
        ("24?8", None, "24?8"),
        ("1717", None, "1717"),
        ("2417", [0, 1, 2, 2], "24??"),  # two strokes of one piece
        ("2416", [0, 1, 2, 2], "2416"),
        ("241?6", [0, 1, 2, 2, 3], "24??6"),
        ("241?6", [0, 1, 2, -1, 3], "241?6"),  # of no single piece
        ("?1?1", None, "????"),  # nothing here speaks for digits
        ("1?", None, "1?"),
        ("2?46?80", None, "2?46?80"),
        ("1?3?1?", None, "??????"),
        ("?1?   24680", None, "???24680"),  # a label before a number
        ("24680   ?7?   13", None, "24680???13"),
        ("?1? 24680", None, "?1?24680"),  # too near to be another word
        ("24   6?   0?8", None, "246?0?8"),
        ("", None, ""),
    ],
)
def test_lines_whose_readings_are_believed_or_not(said, wholes, believed):
    readings = line(said, wholes)
    marked = "".join(
        "?" if no else str(one.probabilities.argmax())
        for no, one in zip(rejections(readings, 0.8), readings, strict=True)
    )
    assert marked == believed
    assert not rejections(readings, 0.0).any()


def test_letters_are_no_digits():
    font = ImageFont.load_default(56)
    sheet = Image.new("L", (900, 330), 255)
    words = ["MAKE THE WAVE", "crane machine", "Kepler Vermeer"]
    for number, text in enumerate(words):
        ImageDraw.Draw(sheet).text((40, 30 + 95 * number), text, font=font, fill=0)
    believed = "".join(one.sure_text.replace("?", "") for one in read(np.asarray(sheet)).lines)
    assert len(believed) <= 0.1 * len("".join(words)), believed


@pytest.mark.slow
def test_digits_that_touch_are_believed(page, drawing):
    told = marked = 0
    for seed in range(6):
        for one in read(page(STRINGS, seed=seed, **vars(drawing.TOUCHING))).lines:
            told, marked = told + len(one.text), marked + one.sure_text.count("?")
    assert told > 100
    assert marked <= 0.05 * told
