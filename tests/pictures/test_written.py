"""Digits written by code."""

import numpy as np

import tenfold
from tenfold.digits import Digits
from tenfold.pictures.pen import smooth, strokes_of, written
from tenfold.pictures.written import _FORMS, write_digits


def test_as_many_as_asked_for_the_same_again_and_others_by_another_chance():
    first, again, other = (write_digits(50, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.images.shape == (50, 28, 28)
    assert first.hash == again.hash != other.hash


def test_every_digit_is_written_and_most_often_those_that_countries_write_differently():
    counts = np.bincount(write_digits(2000, np.random.default_rng(0)).known_labels, minlength=10)
    assert counts.min() > 40  # 82 expected of the rarest; four standard deviations are 36
    assert set(np.argsort(counts)[-4:]) == {1, 4, 7, 9}


def test_they_are_in_canonical_form():
    images = write_digits(100, np.random.default_rng(0)).images
    inked = images > 0
    # The box of 20 pixels, with a pixel for the centre of mass being put on a whole one.
    assert inked.any(axis=2).sum(axis=1).max() <= 20
    assert inked.any(axis=1).sum(axis=1).max() <= 20
    rows = np.arange(28)
    weights = images.sum(axis=(1, 2), dtype=float)
    centres = (images.sum(axis=2) @ rows) / weights
    assert np.abs(centres - 14).max() <= 1


def test_a_steady_hand_draws_straight_and_curved_strokes_through_their_points():
    class Steady:
        def normal(self, *_):
            return 0.0

    straight, curved = strokes_of("0,0 1,1; ~ 0,0 .5,1 1,0", Steady())
    assert straight.tolist() == [[0, 0], [1, 1]]
    assert len(curved) == 17  # eight places from each point to the next, and the last point
    assert curved[[0, 8, 16]].tolist() == [[0, 0], [0.5, 1], [1, 0]]


def test_a_spline_through_points_on_a_line_is_the_line():
    points = np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])
    curve = smooth(points)
    np.testing.assert_allclose(curve[:, 1], 2 * curve[:, 0], atol=1e-12)


def test_a_vertical_stroke_is_written_as_one():
    image = written([np.array([[0.5, 0.0], [0.5, 1.0]])], np.random.default_rng(0))
    inked = image > 128
    assert inked.any(axis=1).sum() > 3 * inked.any(axis=0).sum()


def test_a_network_trained_on_digits_of_people_tells_every_plain_form():
    # MNIST's writers had no bars and hooks; of the forms they did use, the network must say the same as we do.
    plain = {2: 1, 3: 1, 5: 0, 6: 0, 8: 1}
    images, labels = [], []
    for label, form in plain.items():
        for seed in range(10):
            chance = np.random.default_rng(seed)
            images.append(written(strokes_of(_FORMS[label][form], chance), chance))
            labels.append(label)
    digits = Digits(np.stack(images), np.array(labels, np.uint8), "test")
    assert tenfold.judge(tenfold.pretrained(), digits).accuracy.share > 0.95
