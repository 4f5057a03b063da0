"""Whole pages: what was drawn is what is read, and what does not change the writing does not change the text."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tenfold import read
from tenfold.pictures import decode
from tenfold.reading.close_up import close_up

STRINGS = ["3141592", "60718", "2468013579"]


@pytest.mark.slow
def test_what_was_written_is_read(page, lines, drawing, paper):
    photo = page(STRINGS, seed=3, **vars(drawing.PAPERS[paper]))
    # One digit in twenty may be spoilt by chance of drawing; `benchmarks/pages.py` counts over many pages.
    found = lines(photo)
    assert len(found) == len(STRINGS)
    assert drawing.distance(found, STRINGS) <= 1, found


@pytest.mark.slow
def test_digits_that_touch_are_told_apart(page, lines, drawing):
    wrong = 0
    for seed in range(4):
        wrong += drawing.distance(
            lines(page(STRINGS, seed=seed, **vars(drawing.TOUCHING))), STRINGS
        )
    assert wrong <= 0.1 * 4 * len("".join(STRINGS))


@pytest.mark.slow
def test_a_shadow_across_a_page_is_no_digit(page, lines, drawing):
    wrong = 0
    for seed in range(6):
        photo = page(STRINGS, seed=seed, **vars(drawing.PAPERS["a shadow across"]))
        wrong += drawing.distance(lines(photo), STRINGS)
    assert wrong <= 0.05 * 6 * len("".join(STRINGS))


def test_points_commas_and_dashes_are_no_digits(page, lines):
    assert lines(page(["12.50", "7,38", "20-64"], seed=2)) == ["1250", "738", "2064"]


@pytest.mark.slow
def test_the_same_photo_turned_to_light_on_dark_reads_the_same(page, lines):
    photo = page(STRINGS, seed=5)
    assert lines(255 - photo) == lines(photo)


@pytest.mark.slow
def test_twice_the_size_reads_the_same(page, lines):
    photo = page(STRINGS, seed=6, pen=2.5)
    twice = np.asarray(Image.fromarray(photo).resize((photo.shape[1] * 2, photo.shape[0] * 2)))
    assert lines(twice) == lines(photo)


@pytest.mark.slow
def test_a_photo_that_was_taken_upside_down_reads_the_same(page, lines):
    photo = page(STRINGS, seed=7)
    packed, exif = BytesIO(), Image.Exif()
    exif[0x0112] = 3  # the camera was held upside down
    Image.fromarray(photo[::-1, ::-1]).save(packed, "JPEG", quality=95, exif=exif)
    assert lines(decode(packed.getvalue(), where="photo")) == lines(photo)


def test_a_ruling_changes_nothing(page, lines):
    photo = page(["90210", "4711"], seed=8)
    ruled = photo.copy()
    ruled[::67] = np.minimum(ruled[::67], (150, 170, 200))
    assert lines(ruled) == lines(photo)


def test_lines_come_from_the_top_and_digits_from_the_left(page):
    found = read(page(STRINGS, seed=9, slope=5.0))
    tops = [np.mean([d.box.y for d in line.digits]) for line in found.lines]
    assert tops == sorted(tops)
    for line in found.lines:
        lefts = [d.box.x for d in line.digits]
        assert lefts == sorted(lefts)


def test_boxes_hold_the_ink(page):
    photo = page(["305"], seed=2, height=60)
    line = read(photo).lines[0]
    assert line.text == "305"
    ink = photo.min(axis=2) < 130
    for digit in line.digits:
        x, y, width, height = digit.box
        inside = ink[y : y + height, x : x + width]
        # The box is the ink's own: it reaches every side, give or take a pixel of its soft edge.
        assert inside[:3].any()
        assert inside[-3:].any()
        assert inside[:, :3].any()
        assert inside[:, -3:].any()
        ink[y - 2 : y + height + 2, x - 2 : x + width + 2] = False
    assert not ink.any()


def test_boxes_are_places_of_the_photo_however_it_was_turned_to_be_read(page):
    photo = page(STRINGS, seed=4, slope=-8.0)
    ink = photo.min(axis=2) < 130
    for line in read(photo).lines:
        for digit in line.digits:
            x, y, width, height = digit.box
            ink[max(y - 3, 0) : y + height + 3, max(x - 3, 0) : x + width + 3] = False
    assert not ink.any()


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_an_empty_page_has_no_lines(grey):
    rng = np.random.default_rng(grey)
    for shape in ((1, 1), (2, 300), (28, 28), (400, 300)):
        even = np.full(shape, grey, np.uint8)
        grain = np.clip(even + rng.normal(0, 3, shape), 0, 255).astype(np.uint8)
        assert read(even).lines == ()
        assert read(grain).lines == ()


@pytest.mark.parametrize(("size", "edge", "dark"), [(1, 4, True), (3, 1, False), (10, 4, False)])
def test_a_digit_that_fills_the_picture_is_read(known, size, edge, dark):
    for image, label in zip(known.images[:4], known.known_labels, strict=False):
        bright = np.pad(image[4:-4, 4:-4], edge).repeat(size, axis=0).repeat(size, axis=1)
        found = read(255 - bright if dark else bright)
        assert found.text == str(label)
        box = found.lines[0].digits[0].box
        top, left = np.argwhere(bright > 127).min(axis=0)
        assert abs(box.y - top) <= 1 + size
        assert abs(box.x - left) <= 1 + size
        assert max(box.width, box.height) <= 22 * size + 2


@pytest.mark.slow
def test_a_digit_that_is_cut_out_to_its_very_edges_is_read(known):
    right = 0
    for image, label in zip(known.images[:40], known.known_labels, strict=False):
        rows, columns = np.nonzero(image > 60)
        cut = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        right += read(255 - cut.repeat(6, axis=0).repeat(6, axis=1)).text == str(label)
    # An upright 1 is a black picture then.
    assert right >= 37


def test_a_desk_without_writing_has_no_lines(drawing):
    style = drawing.Style(desk=(70, 55, 45), angle=0.05, noise=3.0)
    empty = np.zeros((400, 500))
    photo = drawing.photographed(empty, empty, style, np.random.default_rng(0))
    assert read(photo).lines == ()


@pytest.mark.parametrize("shadow", [0.4, 0.6, 0.75])
def test_the_end_of_a_shadow_at_the_edge_of_the_photo_is_no_1(shadow, drawing):
    style, empty = drawing.Style(shadow=shadow, noise=2.0), np.zeros((400, 500))
    for seed in (9, 13, 17, 19):
        photo = drawing.photographed(empty, empty, style, np.random.default_rng(seed))
        assert read(photo).lines == ()


def test_digits_at_the_very_edges_of_the_photo_are_read(page, lines):
    strings = ["804", "3592", "628"]
    for seed in range(3):
        photo = page(strings, seed=seed)
        inked = photo.min(axis=2) < 120
        rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
        cut = photo[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert lines(cut) == strings


def test_one_slanted_stroke_that_is_cut_into_low_parts_is_no_fault():
    picture = Image.new("L", (600, 300), 255)
    ImageDraw.Draw(picture).line([(50, 50), (250, 250)], 0, 5)
    assert read(np.asarray(picture)).text in ("", "1")


@pytest.mark.parametrize("side", [22, 28, 39])
def test_a_chequered_picture_is_no_close_up_and_takes_little_memory(side):
    chequered = (np.indices((side, side)).sum(axis=0) % 2 * 255).astype(np.uint8)
    assert close_up(chequered) is None
