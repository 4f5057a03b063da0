"""Canonical form: laws that hold for any picture of a digit, on scenes drawn from real digits.

What a change leaves the same is told by the share of ink that differs. Two canonical forms of the same digit
from pictures of other sizes differ by some 0.1, those of different digits by 0.6.
"""

import io
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw

from tenfold.errors import DataError
from tenfold.pictures import canonical, frame, ink_of

SAME, ALIKE = 0.03, 0.16


def on_paper(
    digit: np.ndarray,
    *,
    side: int = 100,
    size: int = 60,
    at: tuple[int, int] = (20, 20),
    paper: int = 235,
    ink: int = 45,
) -> np.ndarray:
    """uint8 (28, 28) -> uint8 (side, side): the digit's 20x20 box drawn `size` pixels large, its corner `at`."""
    box = np.asarray(
        Image.fromarray(digit[4:24, 4:24]).resize((size, size), Image.Resampling.BICUBIC),
        np.float64,
    )
    picture = np.full((side, side), float(paper))
    picture[at[0] : at[0] + size, at[1] : at[1] + size] += box / 255 * (ink - paper)
    return np.rint(picture).astype(np.uint8)


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """How much of the ink of two canonical forms is not the same, 0..1, each moved by up to a pixel."""
    moved = [np.roll(other, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    gaps = [np.abs(one.astype(int) - two.astype(int)).sum() for two in moved]
    return float(min(gaps) / max(one.astype(int).sum() + other.astype(int).sum(), 1))


@pytest.fixture(scope="module")
def digits(small_digits):
    return small_digits.images[:40]


@pytest.fixture(scope="module")
def scenes(digits):
    return [on_paper(digit) for digit in digits]


@pytest.fixture(scope="module")
def forms(scenes):
    return [canonical(scene) for scene in scenes]


def gaps(scenes, forms, change):
    """How far the canonical form of each changed scene is from that of the scene."""
    return np.array(
        [
            difference(form, canonical(change(scene.copy())))
            for scene, form in zip(scenes, forms, strict=True)
        ]
    )


def resized(side, way=Image.Resampling.BICUBIC):
    return lambda scene: np.asarray(Image.fromarray(scene).resize((side, side), way))


def test_mnist_is_its_own_canonical_form(digits):
    np.testing.assert_array_equal([canonical(digit) for digit in digits], digits)


@pytest.mark.mnist
def test_so_are_all_of_its_test_images_but_the_few_with_another_box():
    from tenfold.data import load

    test = load("mnist", say=lambda _: None).test
    assert sum((canonical(image) != image).any() for image in test.images) <= 10


def test_the_canonical_form_is_its_own_canonical_form(forms):
    np.testing.assert_array_equal([canonical(form) for form in forms], forms)


def test_a_digit_that_was_moved_in_its_frame_comes_back_nearly_as_it_was(digits):
    moved = [np.pad(digit, ((6, 1), (2, 5))) for digit in digits]
    found = [
        difference(digit, canonical(image)) for digit, image in zip(digits, moved, strict=True)
    ]
    assert np.mean(found) < 0.12


def test_a_digit_as_ink_on_paper_gives_the_digit(digits, forms):
    assert np.mean([difference(d, f) for d, f in zip(digits, forms, strict=True)]) < ALIKE
    others = [difference(digits[i], forms[i - 1]) for i in range(len(forms))]
    assert np.mean(others) > 0.5


def test_the_form_is_that_of_mnist(forms):
    for form in forms:
        rows, columns = np.nonzero(form)
        assert max(np.ptp(rows), np.ptp(columns)) == 19
        mass = form / form.sum()
        centre = (mass.sum(axis=1) @ np.arange(28), mass.sum(axis=0) @ np.arange(28))
        np.testing.assert_allclose(centre, 14, atol=0.5 + 1e-9)


def test_which_of_ink_and_paper_is_dark(scenes, forms):
    assert gaps(scenes, forms, lambda scene: 255 - scene).max() == 0


@pytest.mark.parametrize("margin", [1, 40, 700])
def test_how_much_paper_there_is(scenes, forms, margin):
    def wider(scene):
        return np.pad(scene, margin, constant_values=235)

    assert gaps(scenes[:8], forms[:8], wider).mean() < ALIKE


def test_that_there_is_hardly_any_paper_left(scenes, forms):
    def closely(scene):
        inked = scene < 140
        rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
        return scene[rows[0] - 1 : rows[-1] + 2, columns[0] - 1 : columns[-1] + 2]

    # Nothing tells ink from paper where a bold 1 fills its box.
    assert np.median(gaps(scenes, forms, closely)) < SAME
    assert (gaps(scenes, forms, closely) > 0.4).sum() <= 2
    assert (gaps(scenes, forms, lambda scene: 255 - closely(scene)) > 0.4).sum() <= 2


def test_where_on_it_the_digit_is(scenes, forms):
    assert gaps(scenes, forms, lambda scene: np.roll(scene, (13, -11), (0, 1))).max() == 0


@pytest.mark.parametrize("side", [24, 32, 50, 200, 400, 1000, 4000])
def test_how_large_the_picture_is(scenes, forms, side):
    count = 3 if side > 1000 else 20
    found = gaps(
        scenes[:count], forms[:count], resized(side, Image.Resampling.BOX if side < 100 else 3)
    )
    assert found.mean() < ALIKE


def test_a_small_digit_on_a_large_page_is_found(digits, forms):
    for size in (90, 160):
        page = on_paper(digits[0], side=4000, size=size, at=(3000, 700))
        assert difference(canonical(page), forms[0]) < ALIKE


@pytest.mark.parametrize("contrast", [0.1, 0.4])
def test_how_faint_the_ink_is(scenes, forms, contrast):
    def faint(scene):
        return np.rint(235 - (235.0 - scene) * contrast).astype(np.uint8)

    assert gaps(scenes, forms, faint).mean() < 0.05


@pytest.mark.parametrize("grain", [4, 15])
def test_the_grain_of_the_paper(scenes, forms, grain):
    chance = np.random.default_rng(3)

    def grainy(scene):
        return np.clip(scene + chance.normal(0, grain, scene.shape), 0, 255).astype(np.uint8)

    assert gaps(scenes, forms, grainy).mean() < ALIKE


def lights():
    y, x = np.mgrid[0:1:100j, 0:1:100j]
    return {
        "from one side": 1 - 0.5 * x,
        "from a corner": 1 - 0.35 * (x + y),
        "into the dark": 1 - 0.85 * x,
        "a lens": 1 - 1.2 * ((x - 0.5) ** 2 + (y - 0.5) ** 2),
        "a soft shadow": 1 - 0.4 / (1 + np.exp(-(x + y - 1) * 12)),
    }


@pytest.mark.parametrize("light", lights().values(), ids=lights().keys())
def test_how_the_light_falls(scenes, forms, light):
    assert gaps(scenes, forms, lambda scene: (scene * light).astype(np.uint8)).mean() < 0.08


def test_poor_jpeg_and_blur(scenes, forms):
    def squeezed(scene):
        buffer = io.BytesIO()
        Image.fromarray(scene).save(buffer, "JPEG", quality=20)
        return np.asarray(Image.open(buffer))

    assert gaps(scenes, forms, squeezed).mean() < 0.06


def test_how_thick_the_pen_is(digits):
    """Strokes of 2 to 14 % of the height come out within what is usual in MNIST."""
    inks = []
    for width in (2, 6, 14):
        paper = Image.new("L", (120, 120), 255)
        ImageDraw.Draw(paper).line(
            [(30, 12), (90, 12), (55, 108)], fill=0, width=width, joint="curve"
        )
        inks.append(canonical(np.asarray(paper)).mean())
    assert max(inks) / min(inks) < 1.7


def test_colours_are_told_apart_as_far_as_any_channel_can(scenes, forms):
    def yellow_on_white(scene):
        return np.dstack([np.full(scene.shape, 255), np.full(scene.shape, 250), scene]).astype(
            np.uint8
        )

    def red_on_green_as_bright(scene):
        inked = scene[..., None] < 140
        return np.where(inked, [200, 60, 60], [60, 131, 60]).astype(np.uint8)

    for change in (yellow_on_white, red_on_green_as_bright):
        assert gaps(scenes, forms, change).mean() < ALIKE


@pytest.mark.parametrize("pen", [0, 255])
def test_ink_on_nothing_is_ink_on_paper(scenes, forms, pen):
    def clear(scene):
        opacity = np.clip((235.0 - scene) * 1.3, 0, 255)
        return np.dstack([np.full((*scene.shape, 3), pen), opacity]).astype(np.uint8)

    assert gaps(scenes, forms, clear).mean() < SAME


def test_opaque_colour_of_grey_is_grey(scenes, forms):
    for scene, form in zip(scenes[:5], forms, strict=False):
        np.testing.assert_array_equal(canonical(np.dstack([scene] * 3)), form)
        np.testing.assert_array_equal(
            canonical(np.dstack([*[scene] * 3, np.full_like(scene, 255)])), form
        )


def ruled(*rows, thick=2, grey=90):
    def rule(scene):
        for row in rows:
            scene[row : row + thick] = np.minimum(scene[row : row + thick], grey)
        return scene

    return rule


@pytest.mark.parametrize("rows", [(88,), (62,), (79,), (6, 34, 62, 90)])
def test_rulings_are_dropped_under_the_digit_and_through_it(scenes, forms, rows):
    # Where a bar of the digit lies on a ruling, a part of it goes too.
    assert gaps(scenes, forms, ruled(*rows)).mean() < 0.08


def test_so_are_slanted_and_upright_ones(scenes, forms):
    def slanted(scene):
        picture = Image.fromarray(scene)
        ImageDraw.Draw(picture).line([(0, 90), (99, 84)], fill=80, width=2)
        return np.asarray(picture)

    assert gaps(scenes, forms, slanted).mean() < 0.06
    assert gaps(scenes, forms, lambda scene: ruled(8)(scene.T.copy()).T.copy()).mean() < 0.06


@pytest.mark.parametrize(("margin", "thick"), [(0, 2), (3, 2), (0, 6)])
def test_frames_are_dropped(scenes, forms, margin, thick):
    def framed(scene):
        inner = margin + thick
        frame_of = np.full_like(scene, 50)
        frame_of[thick : 100 - 2 * margin - thick, thick : 100 - 2 * margin - thick] = scene[
            inner:-inner, inner:-inner
        ]
        scene[margin : 100 - margin, margin : 100 - margin] = frame_of[
            : 100 - 2 * margin, : 100 - 2 * margin
        ]
        return scene

    assert gaps(scenes, forms, framed).mean() < 0.09


def test_specks_and_what_is_cut_off_at_the_edge_are_dropped(scenes, forms):
    def dusty(scene):
        for row, column in ((3, 5), (90, 12), (15, 85), (92, 92), (50, 3)):
            scene[row : row + 2, column : column + 2] = 60
        scene[0:36, 0:8] = 50
        return scene

    assert gaps(scenes, forms, dusty).mean() < SAME


def test_a_thin_1_is_the_digit_and_not_the_blot_that_the_edge_cuts():
    paper = Image.new("L", (100, 100), 255)
    ImageDraw.Draw(paper).line([(50, 20), (50, 80)], fill=0, width=3)
    alone = canonical(np.asarray(paper))
    ImageDraw.Draw(paper).rectangle([0, 0, 8, 40], fill=0)
    np.testing.assert_array_equal(canonical(np.asarray(paper)), alone)


def test_the_loose_bar_of_a_5_is_kept():
    paper = Image.new("L", (100, 100), 255)
    pen = ImageDraw.Draw(paper)
    pen.line([(38, 22), (36, 46)], fill=0, width=4)
    pen.arc([28, 44, 68, 84], 200, 150, fill=0, width=4)
    body = canonical(np.asarray(paper))
    pen.line([(45, 18), (68, 16)], fill=0, width=4)
    whole = canonical(np.asarray(paper))
    assert difference(body, whole) > 0.15
    top = whole[np.flatnonzero(whole.any(axis=1))[0] + 1]
    assert np.flatnonzero(top > 100).max() > 15


def test_the_bar_of_a_7_that_was_cut_out_closely_is_no_ruling():
    paper = Image.new("L", (60, 80), 255)
    pen = ImageDraw.Draw(paper)
    pen.line([(0, 3), (57, 3), (20, 79)], fill=0, width=6)
    seven = canonical(np.asarray(paper))
    pen.line([(0, 76), (60, 76)], fill=0, width=6)
    two = canonical(np.asarray(paper))
    for form, row in ((seven, 1), (two, 1), (two, -2)):
        assert (form[np.flatnonzero(form.any(axis=1))[row]] > 200).sum() >= 12


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 300), (300, 1), (2, 3), (28, 28), (100, 100), (5, 5000)]
)
@pytest.mark.parametrize("value", [0, 255])
def test_a_blank_picture_gives_no_ink(shape, value):
    form = canonical(np.full(shape, value, np.uint8))
    assert (form.shape, form.dtype, form.max()) == ((28, 28), np.uint8, 0)


def test_blank_paper_under_a_lamp_gives_no_ink(scenes):
    chance = np.random.default_rng(5)
    for name, light in lights().items():
        if name in ("a soft shadow", "into the dark"):
            continue
        paper = 225 * light + chance.normal(0, 4, (100, 100))
        assert canonical(np.clip(paper, 0, 255).astype(np.uint8)).max() == 0


def test_a_wholly_transparent_picture_gives_no_ink():
    assert canonical(np.zeros((50, 40, 4), np.uint8)).max() == 0


def test_a_single_stroke_of_any_proportion_fits():
    for high, wide in ((2, 900), (900, 2), (1, 40)):
        picture = np.full((1000, 1000), 255, np.uint8)
        picture[50 : 50 + high, 50 : 50 + wide] = 0
        assert canonical(picture).max() > 150


@given(arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_any_picture_has_a_canonical_form(picture):
    form = canonical(picture)
    assert (form.shape, form.dtype) == ((28, 28), np.uint8)
    ink = ink_of(picture)
    assert (ink.shape, ink.dtype) == (picture.shape, np.float32)
    assert 0 <= ink.min() <= ink.max() <= 1


@given(arrays(np.float32, (12, 17), elements=st.floats(0, 1, width=32)))
def test_any_ink_is_framed(ink):
    form = frame(ink)
    assert (form.shape, form.dtype) == ((28, 28), np.uint8)
    assert bool(form.max()) == bool((ink >= 0.5).any())


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((9, 9)),
        np.zeros(9, np.uint8),
        np.zeros((9, 9, 2), np.uint8),
        np.zeros((0, 9), np.uint8),
    ],
)
def test_what_is_no_picture_is_refused_with_a_sentence(wrong):
    for call in (canonical, ink_of):
        with pytest.raises(DataError, match="picture: expected uint8"):
            call(wrong)


def test_the_picture_is_left_as_it_was(scenes):
    before = scenes[0].copy()
    canonical(scenes[0])
    np.testing.assert_array_equal(scenes[0], before)


def test_a_picture_of_16_megapixels_takes_less_than_some_seconds(digits):
    page = on_paper(digits[3], side=4000, size=2400, at=(800, 700))
    start = time.process_time()
    canonical(page)
    assert time.process_time() - start < 4
