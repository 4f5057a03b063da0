"""Augmentation as numbers: every kind within its bounds, drawn from its own stream, true to the label."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from scipy.stats import kstest

from tenfold.augmentation import (
    BELL_PIXELS,
    CENTRE,
    POINTS,
    Cutout,
    Elastic,
    Rotate,
    Scale,
    Shear,
    Shift,
    Warps,
    bend_basis,
    draw,
    ink_boxes,
    pixel_places,
)
from tenfold.errors import RecipeError
from tenfold.layers import Dense
from tenfold.network import Network
from tenfold.randomness import stream
from tenfold.recipe import Recipe, recipe_from_json
from tenfold.scratch.augment import warp

RECIPE = Recipe(Network(Dense(10)))
ALL = (Shift(), Rotate(), Scale(), Shear(), Elastic(), Cutout())

shifts = st.builds(Shift, st.floats(0, 28, exclude_max=True))
rotations = st.builds(Rotate, st.floats(0, 45, exclude_max=True))
scales = st.builds(Scale, st.floats(0, 1, exclude_max=True))
shears = st.builds(Shear, st.floats(0, 45, exclude_max=True))
bends = st.builds(Elastic, st.floats(0, 4, exclude_max=True))
cutouts = st.builds(Cutout, st.integers(1, 28))
seeds = st.integers(0, 2**63 - 1)


@st.composite
def several(draw_from: st.DrawFn) -> tuple:
    kinds = draw_from(
        st.permutations([None, shifts, rotations, scales, shears, bends, cutouts]),
    )
    return tuple(draw_from(kind) for kind in kinds[: kinds.index(None)])


def chance(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def at_centre(images: int) -> np.ndarray:
    """Boxes of pictures with nothing on them but a point, which may go anywhere."""
    return np.zeros((images, 2, 2), np.float32)


def drawn(*steps: object, images: int = 2_000, seed: int = 0) -> Warps:
    return draw(steps, at_centre(images), chance(seed))


def forward(warps: Warps) -> tuple[np.ndarray, np.ndarray]:
    """What becomes of a place p of the old picture, in float64: matrix @ p + shift."""
    matrix = np.linalg.inv(warps.affine[:, :, :2].astype(float))
    return matrix, -(matrix @ warps.affine[:, :, 2:].astype(float))[:, :, 0]


def evenly(values: np.ndarray, low: float, high: float) -> bool:
    """Whether the values may well have been drawn evenly from low to high (Kolmogorov & Smirnov)."""
    assert low - 1e-5 <= values.min()
    assert values.max() <= high + 1e-5
    # One seed, not many: 1e-3 leaves no room for chance, while a range 5 % too wide gives 1e-5.
    return kstest(values, "uniform", (low, high - low)).pvalue > 1e-3


def blobs(rng: np.random.Generator, images: int) -> np.ndarray:
    """Pictures uint8 (n, 28, 28) of a rectangle of random ink, anywhere, of any size."""
    pictures = np.zeros((images, 28, 28), np.uint8)
    for picture in pictures:
        height, width = rng.integers(1, 29, 2)
        top, left = rng.integers(29 - height), rng.integers(29 - width)
        picture[top : top + height, left : left + width] = rng.integers(1, 256, (height, width))
    return pictures


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Shift(-1), "Shift.pixels: expected a number from 0.0 to below 28, received -1"),
        (lambda: Shift(28), "Shift.pixels"),
        (lambda: Shift(math.nan), "Shift.pixels"),
        (lambda: Shift("2"), "Shift.pixels"),
        (lambda: Shift(True), "Shift.pixels"),
        (lambda: Rotate(45), "Rotate.degrees: expected a number from 0.0 to below 45.0"),
        (lambda: Rotate(-5), "Rotate.degrees"),
        (lambda: Scale(1.0), "Scale.share: expected a number from 0.0 to below 1.0"),
        (lambda: Scale(-0.1), "Scale.share"),
        (lambda: Shear(45), "Shear.degrees: expected a number from 0.0 to below 45.0"),
        (lambda: Shear(None), "Shear.degrees"),
        (lambda: Elastic(4.0), "Elastic.pixels: expected a number from 0.0 to below 4.0"),
        (lambda: Elastic(math.inf), "Elastic.pixels"),
        (lambda: Cutout(0), "Cutout.side: expected a whole number from 1 to 28, received 0"),
        (lambda: Cutout(29), "Cutout.side"),
        (lambda: Cutout(8.0), "Cutout.side"),
        (lambda: replace(RECIPE, augmentation=[Shift()]), "augmentation: expected one of tuple"),
        (lambda: replace(RECIPE, augmentation=Shift()), "augmentation: expected one of tuple"),
        (
            lambda: replace(RECIPE, augmentation=(Shift(), "Rotate")),
            "expected one of Shift, Rotate, Scale, Shear, Elastic, Cutout, received 'Rotate'",
        ),
        (lambda: replace(RECIPE, augmentation=(Shift,)), "a part of Recipe.augmentation"),
        (
            lambda: replace(RECIPE, augmentation=(Shift(1), Rotate(), Shift(2))),
            "Recipe.augmentation: expected each kind once, received Shift twice",
        ),
    ],
)
def test_what_cannot_be_is_answered_with_a_sentence(make, sentence):
    with pytest.raises(RecipeError, match=sentence):
        make()


@given(several())
def test_any_augmentation_survives_json_inside_a_recipe(steps):
    recipe = replace(RECIPE, augmentation=steps)
    assert recipe_from_json(json.loads(json.dumps(recipe.to_json(), allow_nan=False))) == recipe


@given(several(), seeds)
def test_a_draw_is_a_function_of_what_may_happen_and_of_the_seed(steps, seed):
    one, again, turned_round = (
        draw(listed, at_centre(3), chance(seed)) for listed in (steps, steps, steps[::-1])
    )
    for first, second, third in zip(one, again, turned_round, strict=True):
        np.testing.assert_array_equal(first, second)
        np.testing.assert_array_equal(first, third)


def test_another_seed_draws_something_else():
    for step in ALL:
        one, other = drawn(step, seed=1), drawn(step, seed=2)
        field = {Elastic: "bends", Cutout: "patches"}.get(type(step), "affine")
        assert not np.array_equal(getattr(one, field), getattr(other, field))


@pytest.mark.parametrize("left_out", ALL)
def test_leaving_one_out_leaves_what_happens_of_the_others_as_it_was(left_out):
    """A hand slants a digit, stretches it, turns it, puts it somewhere: so the matrices follow each other."""
    rest = [step for step in ALL if step is not left_out]
    whole = drawn(*rest, images=50)
    alone = {type(step): drawn(step, images=50) for step in ALL}
    matrices = {kind: forward(warps)[0] for kind, warps in alone.items() if kind is not Shift}
    expected = np.eye(2)
    for kind in (Shear, Scale, Rotate):
        if kind is not type(left_out):
            expected = matrices[kind] @ expected
    matrix, shift = forward(whole)
    # Float32 inverses of matrices near 1.
    assert matrix == pytest.approx(np.broadcast_to(expected, matrix.shape), abs=2e-6)
    if left_out != Shift():
        assert shift == pytest.approx(forward(alone[Shift])[1], abs=1e-5)
    for kind, field in ((Elastic, "bends"), (Cutout, "patches")):
        if kind is type(left_out):
            assert getattr(whole, field) is None
        else:
            np.testing.assert_array_equal(getattr(whole, field), getattr(alone[kind], field))


def test_what_may_not_happen_is_not_there():
    warps = drawn(images=3)
    assert warps.affine.tolist() == [[[1, 0, 0], [0, 1, 0]]] * 3
    assert warps[1:] == (None, None, 0)
    assert warps.affine.dtype == np.float32


@given(several(), seeds)
def test_numbers_are_as_many_as_images_and_in_float32(steps, seed):
    affine, bent, patches, side = draw(steps, at_centre(5), chance(seed))
    kinds = {type(step): step for step in steps}
    assert (affine.shape, affine.dtype) == ((5, 2, 3), np.float32)
    assert np.isfinite(affine).all()
    assert (bent is not None) == (Elastic in kinds)
    assert (patches is not None) == (Cutout in kinds)
    if bent is not None:
        assert (bent.shape, bent.dtype) == ((5, 2, POINTS**2), np.float32)
    if patches is not None:
        assert (patches.shape, patches.dtype) == ((5, 2), np.float32)
        assert side == kinds[Cutout].side


@given(rotations, seeds)
def test_a_rotation_keeps_lengths_and_its_bound(step, seed):
    (matrix, shift), most = forward(drawn(step, images=20, seed=seed)), math.radians(step.degrees)
    # Float32: 1e-7 for each of four products.
    assert matrix @ matrix.transpose(0, 2, 1) == pytest.approx(np.tile(np.eye(2), (20, 1, 1)), abs=1e-6)  # fmt: skip
    assert np.linalg.det(matrix) == pytest.approx(1, abs=1e-6)
    assert np.abs(np.arctan2(matrix[:, 0, 1], matrix[:, 0, 0])).max() <= most + 1e-6
    assert not shift.any()


@given(scales, seeds)
def test_a_scale_keeps_directions_and_its_bound(step, seed):
    matrix, shift = forward(drawn(step, images=20, seed=seed))
    factors = matrix[:, [0, 1], [0, 1]]
    assert not matrix[:, [0, 1], [1, 0]].any()
    assert not shift.any()
    assert factors.min() >= 1 / (1 + step.share) - 1e-6
    assert factors.max() <= 1 + step.share + 1e-6


@given(shears, seeds)
def test_a_shear_keeps_rows_areas_and_its_bound(step, seed):
    matrix, shift = forward(drawn(step, images=20, seed=seed))
    assert np.all(matrix[:, 0] == [1, 0])
    assert np.all(matrix[:, 1, 1] == 1)
    assert not shift.any()
    assert np.abs(matrix[:, 1, 0]).max() <= math.tan(math.radians(step.degrees)) + 1e-6


def test_every_kind_is_spread_evenly_over_its_range():
    rotation = forward(drawn(Rotate(20)))[0]
    assert evenly(np.degrees(np.arctan2(rotation[:, 0, 1], rotation[:, 0, 0])), -20, 20)
    shear = forward(drawn(Shear(30)))[0]
    assert evenly(np.degrees(np.arctan(shear[:, 1, 0])), -30, 30)
    scale = np.log(forward(drawn(Scale(0.25)))[0][:, [0, 1], [0, 1]])
    shift = forward(drawn(Shift(3)))[1]
    for axis in (0, 1):
        assert evenly(scale[:, axis], -math.log(1.25), math.log(1.25))
        assert evenly(shift[:, axis], -3, 3)
    for one, other in (scale.T, shift.T):
        # Independent: the correlation of 2,000 pairs has the deviation 1/45.
        assert abs(np.corrcoef(one, other)[0, 1]) < 5 / 45
    for side in (5, 8):
        patches = drawn(Cutout(side)).patches
        centres = patches + side // 2
        assert set(centres.ravel()) == set(range(28))
        # 2,000 draws of 28: 71 each, deviation 8.3.
        counts = np.stack([np.bincount(column.astype(int)) for column in centres.T])
        assert np.abs(counts - 2_000 / 28).max() < 5 * 8.3


def test_a_bend_moves_every_pixel_by_the_same_deviation():
    """The variance of a sum of independent terms is the sum of squares of their factors."""
    basis = bend_basis()
    assert (basis.shape, basis.dtype) == ((POINTS**2, 784), np.float32)
    assert (basis.astype(float) ** 2).sum(axis=0) == pytest.approx(1, abs=1e-6)


def test_a_bend_is_as_smooth_as_white_noise_under_the_bell():
    """Noise smoothed by a Gaussian of s correlates as exp(-d^2 / 4 s^2) at a distance of d."""
    covariance = (bend_basis().T @ bend_basis()).reshape(28, 28, 28, 28)
    for row, column in ((13, 13), (10, 16), (7, 8)):
        for down, right in np.ndindex(10, 10):
            expected = math.exp(-(down**2 + right**2) / (4 * BELL_PIXELS**2))
            got = covariance[row, column, row + down, column + right]
            # Points 4.5 pixels apart, and none beyond the frame: measured 0.008.
            assert got == pytest.approx(expected, abs=0.02)


def test_elastic_is_as_strong_and_as_smooth_as_it_says():
    places = drawn(Elastic(1.5), images=4_000).bends @ bend_basis()
    # The deviation of 4,000 draws is known to 1 / sqrt(8,000); five of these.
    assert places.std(axis=0) == pytest.approx(1.5, rel=5 / 89)
    assert places.mean(axis=0) == pytest.approx(0, abs=5 * 1.5 / 63)
    rows, columns = places[:, 0, 400], places[:, 1, 400]
    assert abs(np.corrcoef(rows, columns)[0, 1]) < 5 / 63
    # Neighbours part by sqrt(2 (1 - exp(-1 / 64))) = 0.176 of the deviation.
    apart = np.diff(places.reshape(4_000, 2, 28, 28)[:, :, 7:21, 7:21], axis=3)
    assert apart.std() == pytest.approx(1.5 * 0.176, rel=0.05)


def test_the_strength_of_simards_paper_is_the_one_the_docstring_gives():
    noise = chance(0).uniform(-1, 1, (600, 600))
    assert (34 * gaussian_filter(noise, BELL_PIXELS)).std() == pytest.approx(1.4, abs=0.05)


def test_ink_boxes_by_hand():
    images = np.zeros((4, 28, 28), np.uint8)
    images[0, 3, 5] = images[0, 20, 9] = 1
    images[1, 0, 27] = 255
    images[2] = 7
    boxes = ink_boxes(images)
    assert boxes.tolist() == [
        [[3 - 13.5, 20 - 13.5], [5 - 13.5, 9 - 13.5]],
        [[-13.5, -13.5], [13.5, 13.5]],
        [[-13.5, 13.5], [-13.5, 13.5]],
        [[0, 0], [0, 0]],
    ]
    assert boxes.dtype == np.float32


def test_places_are_the_pixels_counted_from_the_centre():
    places = pixel_places()
    assert (places.shape, places.dtype) == ((3, 784), np.float32)
    assert places[:, 0].tolist() == [-13.5, -13.5, 1]
    assert places[:, 27].tolist() == [-13.5, 13.5, 1]
    assert places[:, 28].tolist() == [-12.5, -13.5, 1]


@given(shifts, seeds)
def test_a_shift_loses_no_ink(step, seed):
    """Between pixels ink is shared out by shares that sum to 1: the total stays unless some is pushed out."""
    images = blobs(chance(seed), 8)
    moved = warp(images, draw((step,), ink_boxes(images), chance(seed)))
    totals = images.sum(axis=(1, 2), dtype=float)
    # Float32 places, to 2e-6 of a pixel.
    assert moved.sum(axis=(1, 2), dtype=float) == pytest.approx(totals, rel=1e-5)


def box_after(warps: Warps, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The smallest and largest row and column that the corners of the boxes come to: (n, 2) each."""
    matrix, shift = forward(warps)
    corners = np.stack([boxes[:, [0, 1], [i, j]] for i in (0, 1) for j in (0, 1)], axis=2)
    arrived = matrix @ corners + shift[:, :, None]
    return arrived.min(axis=2), arrived.max(axis=2)


@given(shifts, rotations, scales, shears, seeds)
def test_a_digit_turned_and_stretched_is_put_where_it_fits(shift, rotation, scale, shear, seed):
    boxes = ink_boxes(blobs(chance(seed), 20))
    bare = (rotation, scale, shear)
    before_low, before_high = box_after(draw(bare, boxes, chance(seed)), boxes)
    low, high = box_after(draw((*bare, shift), boxes, chance(seed)), boxes)
    moved = low - before_low
    assert np.abs(moved).max() <= shift.pixels + 1e-4
    # Either it was inside and stays inside, or what stuck out sticks out no further.
    assert np.all(low >= np.minimum(before_low, -CENTRE) - 1e-4)
    assert np.all(high <= np.maximum(before_high, CENTRE) + 1e-4)


def test_a_shift_goes_as_far_as_the_margin_allows_and_no_further():
    """The middle of a box with 2 rows above, 20 below, 5 columns at its left and 1 at its right."""
    boxes = np.tile(np.float32([[2, 7], [5, 26]]) - np.float32(CENTRE), (2_000, 1, 1))
    shift = forward(draw((Shift(4),), boxes, chance(3)))[1]
    assert evenly(shift[:, 0], -2, 4)
    assert evenly(shift[:, 1], -4, 1)


@given(cutouts, seeds)
def test_a_cutout_leaves_two_thirds_of_the_ink_and_blanks_one_square(step, seed):
    images = blobs(chance(seed), 20)
    warps = draw((step,), ink_boxes(images), chance(seed))
    left = warp(images, warps)
    before, after = (pictures.sum(axis=(1, 2), dtype=float) for pictures in (images, left))
    assert np.all(after >= before * 2 / 3 * (1 - 1e-6))
    for picture, result, (top, first) in zip(images, left, warps.patches.astype(int), strict=True):
        expected = picture.astype(np.float32)
        expected[
            max(top, 0) : max(top + step.side, 0), max(first, 0) : max(first + step.side, 0)
        ] = 0
        most = 2 / 3 * picture.sum(dtype=float)
        kept = expected if expected.sum(dtype=float) >= most else picture
        np.testing.assert_array_equal(result, kept)


def test_a_draw_gives_what_it_always_gave():
    """As constants: a run must come out the same with the next version, and a new kind at the end of the list."""
    warps = draw(ALL, at_centre(2), stream(7, "augmentation", 1))
    # Angles go through the machine's own sine, the rest through float32.
    assert warps.affine[0] == pytest.approx(
        np.array([[0.9153554, -0.0337255, 0.6650320], [0.1739929, 0.9035304, 0.5495661]]), abs=1e-6
    )
    assert warps.bends[0, :, :2] == pytest.approx(
        np.array([[1.2879753, 0.2993765], [-0.7707140, -0.6563729]]), abs=1e-6
    )
    assert warps.patches.tolist() == [[23, 16], [20, 0]]
