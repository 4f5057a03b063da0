"""Classifiers made of Classifiers: what they say is a mean that can be taken by hand."""

import numpy as np
import pytest
from scipy import ndimage

from tenfold.classifiers import MAX_SHIFT, Ensemble, Shifted, moved, places
from tenfold.errors import DataError, UsageError


class Fixed:
    """A classifier that says the same of every picture."""

    def __init__(self, *probabilities):
        self._row = np.array(probabilities, np.float32)

    def predict_proba(self, images):
        return np.tile(self._row, (len(images), 1))


class Pixel:
    """Says 1 with the probability that stands at row 3, column 5, else 0."""

    def predict_proba(self, images):
        answer = np.zeros((len(images), 10), np.float32)
        answer[:, 1] = images[:, 3, 5] / np.float32(255)
        answer[:, 0] = 1 - answer[:, 1]
        return answer


FIRST = Fixed(1, *[0] * 9)
SECOND = Fixed(0.5, 0.5, *[0] * 8)


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (6, 28, 28)).astype(np.uint8)


@pytest.mark.parametrize("pixels", range(1, MAX_SHIFT + 1))
def test_a_picture_is_moved_as_scipy_moves_it_and_nothing_comes_in(noise, pixels):
    for down, right in places(pixels):
        # order=0: whole pixels, no interpolation; mode="constant": 0 beyond the frame.
        expected = ndimage.shift(noise, (0, down, right), order=0, mode="constant")
        assert np.array_equal(moved(noise, down, right), expected)


def test_the_five_places_are_a_cross_and_without_shifts_there_is_one():
    assert sorted(places(2)) == [(-2, 0), (0, -2), (0, 0), (0, 2), (2, 0)]
    assert places(0) == ((0, 0),)


def test_shifted_is_the_mean_over_the_pixel_and_its_four_neighbours(noise):
    around = [(3, 5), (2, 5), (4, 5), (3, 4), (3, 6)]
    expected = np.mean([noise[:, r, c] / 255 for r, c in around], axis=0)
    answer = Shifted(Pixel()).predict_proba(noise)
    assert answer.dtype == np.float32
    # float32 keeps seven digits of numbers up to 1.
    np.testing.assert_allclose(answer[:, 1], expected, atol=1e-6)
    np.testing.assert_allclose(answer.sum(axis=1), 1, atol=1e-6)


def test_shifted_reaches_as_far_as_it_says(noise):
    around = [(3, 5), (0, 5), (6, 5), (3, 2), (3, 8)]
    expected = np.mean([noise[:, r, c] / 255 for r, c in around], axis=0)
    answer = Shifted(Pixel(), pixels=3).predict_proba(noise)
    np.testing.assert_allclose(answer[:, 1], expected, atol=1e-6)


def test_shifted_by_nothing_is_the_classifier_itself(noise):
    assert np.array_equal(Shifted(Pixel(), 0).predict_proba(noise), Pixel().predict_proba(noise))


def test_an_ensemble_is_the_mean_of_its_members(noise):
    answer = Ensemble(FIRST, SECOND, SECOND).predict_proba(noise)
    assert answer.dtype == np.float32
    # By hand: 0 gets a third of 1 + 1/2 + 1/2, and 1 a third of 0 + 1/2 + 1/2.
    np.testing.assert_allclose(answer, np.tile([2 / 3, 1 / 3, *[0] * 8], (6, 1)), atol=1e-7)


def test_one_wraps_the_other_in_either_order(noise):
    inside = Ensemble(Shifted(Pixel()), Shifted(SECOND))
    outside = Shifted(Ensemble(Pixel(), SECOND))
    expected = (Shifted(Pixel()).predict_proba(noise) + SECOND.predict_proba(noise)) / 2
    for both in (inside, outside):
        np.testing.assert_allclose(both.predict_proba(noise), expected, atol=1e-6)


def test_an_ensemble_needs_members_that_are_classifiers():
    with pytest.raises(UsageError, match="at least one"):
        Ensemble()
    # What a person tries first.
    with pytest.raises(UsageError, match=r"received list.*one by one"):
        Ensemble([FIRST, SECOND])
    with pytest.raises(UsageError, match="predict_proba, received str"):
        Shifted("runs/s0")


@pytest.mark.parametrize("pixels", [-1, MAX_SHIFT + 1, 1.0, True])
def test_a_shift_that_leaves_the_margin_or_is_no_number_of_pixels_is_refused(pixels):
    with pytest.raises(UsageError, match="from 0 to 4"):
        Shifted(FIRST, pixels)


@pytest.mark.parametrize("shape", [(0, 28, 28), (28, 28), (2, 784)])
def test_other_pictures_are_refused_in_the_same_words_as_everywhere(shape):
    for wrapped in (Shifted(FIRST), Ensemble(FIRST)):
        with pytest.raises(DataError, match="28, 28"):
            wrapped.predict_proba(np.zeros(shape, np.uint8))
