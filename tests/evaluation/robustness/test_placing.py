"""Placing against NumPy's exact turns and moves."""

import numpy as np
import pytest

from tenfold.evaluation.robustness.placing import moved_by, scaled, sheared, turned


def test_a_quarter_turn_is_numpy_s(small_digits):
    images = small_digits.images[:20]
    # float32 places are a millionth beside the pixel, which rounding to bytes forgives by one step.
    for degrees, quarters in ((90, 1), (180, 2), (-90, 3)):
        expected = np.rot90(images, quarters, axes=(1, 2)).astype(int)
        assert np.abs(turned(images, degrees) - expected).max() <= 1


def test_whole_pixels_move_exactly(small_digits):
    images = small_digits.images[:20]
    expected = np.zeros_like(images)
    expected[:, 3:, :-5] = images[:, :-3, 5:]
    assert np.array_equal(moved_by(images, 3, -5), expected)
    assert (moved_by(images, 28, 0) == 0).all()


def test_each_picture_has_its_own_number(small_digits):
    images = small_digits.images[:2]
    both = turned(images, [0, 90])
    assert np.array_equal(both[0], images[0])
    assert np.array_equal(both[1:], turned(images[1:], 90))


@pytest.mark.parametrize(
    "change", [lambda i: scaled(i, 1), lambda i: turned(i, 0), lambda i: sheared(i, 0)]
)
def test_nothing_changes_nothing(change, small_digits):
    assert np.array_equal(change(small_digits.images[:20]), small_digits.images[:20])


def test_twice_the_size_is_four_times_the_ink():
    picture = np.zeros((1, 28, 28), np.uint8)
    picture[:, 10:18, 10:18] = 255
    assert scaled(picture, 2).sum() == pytest.approx(4 * picture.sum(), rel=0.01)


def test_a_shear_leans_to_the_right_above_the_centre():
    picture = np.zeros((1, 28, 28), np.uint8)
    picture[:, :, 13:15] = 255
    centres = (sheared(picture, 0.5)[0] * np.arange(28)).sum(axis=1) / 510
    # The sine of half a radian, 0.479, a row: 13.5 above the centre it is 6.47 to the right of 13.5.
    assert centres[0] == pytest.approx(13.5 + 6.47, abs=0.01)
    assert centres[27] == pytest.approx(13.5 - 6.47, abs=0.01)
