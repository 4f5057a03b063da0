"""What an epoch leaves to chance is decided before it, and what a network learns is written down as numbers."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenfold.augmentation import Elastic, Rotate, Shift, draw, ink_boxes
from tenfold.engine import SETTLING_IMAGES, Courses, settling_rows, targets_for
from tenfold.layers import Dense
from tenfold.network import Network
from tenfold.randomness import batches, stream
from tenfold.recipe import Averaging, OneCycle, Recipe

RECIPE = Recipe(Network(Dense(10)), batch_size=30, epochs=4, schedule=OneCycle())
IMAGES = stream(0, "pictures").integers(0, 256, (100, 28, 28)).astype(np.uint8)


def test_targets_by_hand():
    labels = np.array([3, 0], np.uint8)
    certain = targets_for(RECIPE, labels)
    assert certain.dtype == np.float32
    assert certain.tolist() == [[0, 0, 0, 1, 0, 0, 0, 0, 0, 0], [1] + [0] * 9]
    smooth = targets_for(replace(RECIPE, label_smoothing=0.2), labels)
    assert smooth.dtype == np.float32
    # 1 - 0.2 + 0.2 / 10, and 0.2 / 10
    assert smooth[0] == pytest.approx([0.02] * 3 + [0.82] + [0.02] * 6, rel=1e-6)
    assert smooth[1] == pytest.approx([0.82] + [0.02] * 9, rel=1e-6)


@given(st.floats(0, 1, exclude_max=True), st.lists(st.integers(0, 9), min_size=1, max_size=20))
def test_targets_sum_to_1_and_the_label_stays_ahead(smoothing, labels):
    targets = targets_for(replace(RECIPE, label_smoothing=smoothing), np.array(labels, np.uint8))
    # Ten roundings of float32.
    assert targets.sum(axis=1) == pytest.approx(1, abs=1e-6)
    others = np.delete(targets[0], labels[0])
    assert targets.min() >= 0
    assert targets[0, labels[0]] >= others.max()
    assert targets[0, labels[0]] - others.max() == pytest.approx(1 - smoothing, abs=1e-6)


def test_a_course_says_which_images_at_which_rate_and_what_happens_to_each():
    recipe = replace(RECIPE, augmentation=(Shift(3), Elastic()), averaging=Averaging(0.7))
    course = Courses(recipe, IMAGES, seed=5)(2)
    np.testing.assert_array_equal(course.rows, batches(5, 2, images=100, batch_size=30))
    assert course.rows.shape == (3, 30)
    np.testing.assert_array_equal(course.rates, recipe.learning_rates(2, steps=3))
    # Steps 6, 7 and 8 of the whole training: 6/15, 7/16, 8/17.
    assert course.decays == pytest.approx([0.4, 0.4375, 0.470588], rel=1e-5)
    expected = draw(recipe.augmentation, ink_boxes(IMAGES), stream(5, "augmentation", 2))
    for one, other in zip(course.warps, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(course.warps.affine) == 100


def test_a_course_is_a_function_of_seed_and_epoch():
    recipe = replace(RECIPE, augmentation=(Rotate(),))

    def turned(seed, epoch):
        return Courses(recipe, IMAGES, seed=seed)(epoch).warps.affine

    courses = Courses(recipe, IMAGES, seed=1)
    courses(0)
    np.testing.assert_array_equal(courses(3).warps.affine, turned(1, 3))
    first = turned(0, 0)
    for other in (turned(0, 1), turned(1, 0)):
        assert not np.isin(first[:, 0, 1], other[:, 0, 1]).any()


def test_where_nothing_may_happen_nothing_is_drawn():
    course = Courses(RECIPE, IMAGES, seed=0)(0)
    assert course.warps is None
    assert course.decays.tolist() == [0, 0, 0]


def test_what_is_learnt_changes_neither_order_nor_warps():
    rich = replace(
        RECIPE, augmentation=(Rotate(),), averaging=Averaging(), label_smoothing=0.1, epochs=9
    )
    plain = replace(RECIPE, augmentation=(Rotate(),))
    one, other = (Courses(recipe, IMAGES, seed=3)(1) for recipe in (rich, plain))
    np.testing.assert_array_equal(one.rows, other.rows)
    np.testing.assert_array_equal(one.warps.affine, other.warps.affine)


def test_images_that_are_settled_on_are_changed_in_the_way_and_not_in_the_places_of_an_epoch():
    recipe = replace(RECIPE, augmentation=(Rotate(),), averaging=Averaging())
    courses = Courses(recipe, IMAGES, seed=3)
    rows, warps = courses.settling()
    np.testing.assert_array_equal(rows, settling_rows(len(IMAGES), 3))
    assert warps.affine.shape == (len(rows), 2, 3)
    assert not np.array_equal(warps.affine, courses(0).warps.affine)
    again = Courses(recipe, IMAGES, seed=3).settling()[1]
    np.testing.assert_array_equal(warps.affine, again.affine)
    assert Courses(replace(recipe, augmentation=()), IMAGES, seed=3).settling()[1] is None


def test_settling_rows_are_some_of_the_images_in_order():
    few = settling_rows(10, 0)
    assert few.tolist() == list(range(10))
    many = settling_rows(60_000, 7)
    assert len(many) == SETTLING_IMAGES
    assert np.all(np.diff(many) > 0)
    assert 0 <= many[0] < many[-1] < 60_000
    # The mean of 2,048 draws of 60,000 has the deviation 17,320 / 45.
    assert many.mean() == pytest.approx(30_000, abs=5 * 17_320 / 45)
    np.testing.assert_array_equal(many, settling_rows(60_000, 7))
    assert not np.array_equal(many, settling_rows(60_000, 8))
