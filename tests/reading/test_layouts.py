"""What else is on people's pages: headings, boxes of forms, circles, holes, a pencil; the digits are read all the same."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tenfold import read
from tenfold.digits import Digits
from tenfold.errors import DataError
from tenfold.reading.lattice import Reading
from tenfold.reading.pieces import Piece
from tenfold.reading.reader import Found, _together
from tenfold.reading.view import look

PAPER = 250
Write = Callable[[Image.Image, str, int, int, int], None]


@pytest.fixture
def write(known: Digits) -> Write:
    """write(paper, "123", x, base, height): dark digits side by side, their feet at `base`."""

    def on(paper: Image.Image, text: str, x: int, base: int, height: int) -> None:
        for number, sign in enumerate(text):
            of_this = np.flatnonzero(known.known_labels == int(sign))
            image = known.images[of_this[number % len(of_this)]]
            rows, columns = np.nonzero(image > 60)
            cut = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
            width = max(2, cut.shape[1] * height // cut.shape[0])
            ink = Image.fromarray(cut).resize((width, height))
            paper.paste(Image.new(paper.mode, ink.size, 0), (x, base - height), ink)
            x += width + height // 4

    return on


def lines(paper: Image.Image) -> list[str]:
    return [line.text for line in read(np.asarray(paper)).lines]


@pytest.mark.parametrize(("heading", "body"), [(100, 36), (120, 34), (90, 24)])
def test_lines_of_two_sizes_are_all_read_from_the_top(write, heading, body):
    paper = Image.new("L", (1000, 800), PAPER)
    strings = ["2605", "30284659", "26843920", "58309264"]
    write(paper, strings[0], 80, 200, heading)
    for number, text in enumerate(strings[1:]):
        write(paper, text, 80, 340 + 120 * number, body)
    assert lines(paper) == strings


def test_where_only_the_smaller_writing_gave_lines_these_are_all():
    mask = np.ones((12, 12), bool)
    piece = Piece(5, 5, mask.astype(np.float32), mask)
    one = Reading(piece, np.zeros((28, 28), np.uint8), np.eye(10, dtype=np.float32)[3])
    view = look(np.full((60, 90), PAPER, np.uint8), scale=1.0)
    small = [Found(view, [one])]
    assert _together([], small) == small
    assert _together(small, small) == small  # what lies on what was found is the same ink
    assert _together(small, []) == small


@pytest.mark.parametrize("thick", [1, 3, 5])
@pytest.mark.parametrize("inset", [3, 14])
def test_a_box_for_each_digit_is_no_digit_even_where_they_touch(write, thick, inset):
    paper = Image.new("L", (900, 300), PAPER)
    pencil = ImageDraw.Draw(paper)
    for number, digit in enumerate("26849350"):
        left = 60 + 80 * number
        pencil.rectangle((left, 90, left + 64, 174), outline=60, width=thick)
        write(paper, digit, left + inset, 152, 38)
    assert lines(paper) == ["26849350"]


@pytest.mark.parametrize(("gap", "thick"), [(0, 3), (0, 6), (20, 3), (30, 6)])
def test_a_circle_around_a_digit_or_an_oval_around_a_number_is_none(write, gap, thick):
    paper = Image.new("L", (1100, 600), PAPER)
    pencil = ImageDraw.Draw(paper)
    turn = 0
    for number, digit in enumerate("268493"):
        left = 60 + 160 * number
        turn += 70  # the gap is elsewhere each time
        pencil.arc((left, 40, left + 140, 180), turn, turn + 360 - gap, fill=40, width=thick)
        write(paper, digit, left + 52, 140, 56)
    pencil.arc((60, 260, 560, 420), 200, 560 - gap, fill=40, width=thick)
    write(paper, "3026", 170, 365, 56)
    write(paper, "9528", 170, 540, 56)
    assert lines(paper) == ["268493", "3026", "9528"]


@pytest.mark.parametrize(("size", "dark"), [(28, 20), (36, 60), (60, 90)])
@pytest.mark.parametrize("wire", [False, True])
def test_holes_along_the_edge_are_no_digits(write, size, dark, wire):
    paper = Image.new("L", (1000, 900), PAPER)
    pencil = ImageDraw.Draw(paper)
    for y in range(30, 900, 75):
        pencil.ellipse((15, y, 15 + size, y + size), fill=dark)
        if wire:
            pencil.line((0, y + size // 3, 15 + size // 2, y + size // 2), fill=150, width=5)
    strings = ["26849350", "30264", "9528", "704962"]
    for number, text in enumerate(strings):
        write(paper, text, 190, 160 + 190 * number, 44)
    assert lines(paper) == strings


@pytest.mark.parametrize("grey", [0, 120, 180])
def test_a_pencil_beside_the_lines_hides_none(write, grey):
    paper = Image.new("L", (1200, 900), PAPER)
    ImageDraw.Draw(paper).rectangle((1050, 0, 1080, 900), fill=grey)
    strings = ["26849350", "30264", "9528"]
    for number, text in enumerate(strings):
        write(paper, text, 90, 150 + 150 * number, 44)
    assert lines(paper) == strings


@pytest.mark.parametrize("colour", [(250, 240, 60), (170, 255, 120), (255, 170, 210)])
def test_what_is_highlighted_is_read_too(write, colour):
    paper = Image.new("RGB", (1200, 500), (PAPER, 249, 246))
    ImageDraw.Draw(paper).rectangle((60, 200, 800, 290), fill=colour)
    strings = ["26849350", "30264859", "952843"]
    for number, text in enumerate(strings):
        write(paper, text, 90, 122 + 145 * number, 44)
    assert lines(paper) == strings


def test_yellow_ink_on_white_is_still_seen(write):
    dark = Image.new("L", (700, 200), 255)
    write(dark, "26849350", 60, 130, 60)
    yellow = np.stack([np.full((200, 700), 255), np.full((200, 700), 235), np.asarray(dark)], 2)
    assert lines(Image.fromarray(yellow.astype(np.uint8))) == ["26849350"]


@pytest.mark.slow
def test_a_page_of_print_is_refused_with_what_to_do():
    paper = Image.new("L", (1200, 1600), PAPER)
    text = 2 * "the quick brown fox jumps over the lazy dog and some more words of print here "
    for number in range(22):
        line = text[number % 20 :][:78]
        font = ImageFont.load_default(26)
        ImageDraw.Draw(paper).text((40, 40 + 68 * number), line, font=font, fill=20)
    with pytest.raises(DataError, match=r"photo: expected lines of digits, .* Cut out the part"):
        read(np.asarray(paper))
