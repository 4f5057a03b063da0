"""Corruptions against laws that hold for each of them, and against pictures worked out by hand."""

import math

import numpy as np
import pytest

from tenfold.evaluation.robustness import CORRUPTIONS, strokes
from tenfold.evaluation.robustness.edges import edges
from tenfold.randomness import stream

WITHOUT_CHANCE = {"scale", "brightness", "stripe", "canny edges"}

every = pytest.mark.parametrize("name", CORRUPTIONS)


def corrupt(name, images, seed=0, severity=1.0):
    return CORRUPTIONS[name](images, stream(seed, "test"), severity)


def plain(value, n=1):
    return np.full((n, 28, 28), value, np.uint8)


def test_there_are_the_fifteen_of_the_paper():
    assert len(CORRUPTIONS) == 15


@every
def test_what_comes_out_is_pictures_and_what_went_in_is_as_it_was(name, small_digits):
    images = small_digits.images[:30].copy()
    out = corrupt(name, images)
    assert (out.shape, out.dtype) == ((30, 28, 28), np.uint8)
    assert np.array_equal(images, small_digits.images[:30])
    assert (out != images).any(axis=(1, 2)).all()


@every
def test_severity_0_changes_nothing(name, small_digits):
    images = small_digits.images[:30]
    assert np.array_equal(corrupt(name, images, severity=0.0), images)


@every
def test_half_the_severity_changes_less(name, small_digits):
    images = small_digits.images[:100].astype(int)
    far, near = (corrupt(name, small_digits.images[:100], severity=s) for s in (1.0, 0.5))
    assert 0 < np.abs(near - images).mean() < np.abs(far - images).mean()


@every
def test_a_seed_decides_all_of_it(name, small_digits):
    images = small_digits.images[:30]
    again = np.array_equal(corrupt(name, images, seed=4), corrupt(name, images, seed=4))
    other = np.array_equal(corrupt(name, images, seed=4), corrupt(name, images, seed=5))
    assert (again, other) == (True, name in WITHOUT_CHANCE)


@every
def test_extreme_pictures_pass(name):
    for value in (0, 255):
        assert corrupt(name, plain(value, 3)).shape == (3, 28, 28)


def test_shot_noise_is_a_count_of_three_photons():
    out = corrupt("shot noise", plain(255, 40))
    assert set(np.unique(out)) == {0, 85, 170, 255}
    # Poisson with mean 3 is 0 with probability e^-3; four standard errors of 31,360 pixels.
    share = math.exp(-3)
    assert abs((out == 0).mean() - share) < 4 * math.sqrt(share * (1 - share) / out.size)
    assert (corrupt("shot noise", plain(0)) == 0).all()


def test_impulse_noise_hits_17_percent_half_of_them_white():
    out = corrupt("impulse noise", plain(128, 40))
    for value in (0, 255):
        assert abs((out == value).mean() - 0.085) < 4 * math.sqrt(0.085 * 0.915 / out.size)
    assert set(np.unique(out)) == {0, 128, 255}


def test_brightness_stripe_and_translate_by_hand():
    picture = plain(0)
    picture[0, 10, 12] = 200
    # 0 + 127.5 rounds to even; 200 + 127.5 is cut off.
    brighter = corrupt("brightness", picture)[0]
    assert (brighter[10, 12], brighter[0, 0]) == (255, 128)
    picture[0, 10, 3] = 200
    striped = corrupt("stripe", picture)[0]
    assert (striped[10, 3], striped[10, 12], striped[0, 6], striped[0, 7]) == (55, 200, 255, 0)
    assert (striped[0, 20], striped[0, 21]) == (0, 255)
    dot = plain(0)
    dot[0, 10, 12] = 200
    (place,) = np.argwhere(corrupt("translate", dot)[0])
    assert (abs(place - [10, 12]) == 3).all()


def test_scale_leaves_seven_tenths_of_each_side():
    picture = plain(0)
    picture[:, 4:24, 4:24] = 255
    rows = (corrupt("scale", picture)[0] >= 128).any(axis=1).sum()
    # 20 pixels become 14.
    assert rows == 14


def test_glass_leaves_an_even_picture_as_it_is():
    assert (corrupt("glass blur", plain(90)) == 90).all()


def test_motion_draws_ink_out_on_one_side_and_loses_little_of_it():
    picture = plain(0, 20)
    picture[:, 13:16, 13:16] = 255
    out = corrupt("motion blur", picture).astype(int)
    # Rounding costs half a step of each pixel at most, about 200 of them here, and up as often as down.
    assert np.abs(out.sum(axis=(1, 2)) - 9 * 255).max() < 120
    columns = out.sum(axis=1)
    left, right = columns[:, :12].sum(axis=1), columns[:, 17:].sum(axis=1)
    assert ((left == 0) != (right == 0)).all()


def test_glass_moves_light_and_loses_none():
    picture = plain(0, 20)
    picture[:, 12:16, 12:16] = 255
    out = corrupt("glass blur", picture).astype(int)
    # Rounding costs or gives half a step of each pixel at most.
    assert np.abs(out.sum(axis=(1, 2)) - 16 * 255).max() < 60
    # What is exchanged comes from above and from the left, so light goes there.
    rows, columns = out.sum(axis=(0, 2)), out.sum(axis=(0, 1))
    assert max(np.average(np.arange(28), weights=side) for side in (rows, columns)) < 13.5


def test_a_sheared_column_leans_and_grows():
    picture = plain(0)
    picture[0, 8:20, 13:15] = 255
    (out,) = corrupt("shear", picture)
    # An upright line grows by 1 / cos 0.4; from one row to the next it goes aside by sin 0.4 pixels.
    assert out.sum() == pytest.approx(picture.sum() / math.cos(0.4), rel=0.02)
    places = [np.average(np.arange(28), weights=out[row]) for row in (8, 19)]
    assert abs(places[1] - places[0]) == pytest.approx(11 * math.sin(0.4), abs=0.05)


@pytest.mark.parametrize("name", ["dotted line", "zigzag"])
def test_what_is_drawn_over_never_darkens(name, small_digits):
    images = small_digits.images[:30]
    assert (corrupt(name, images) >= images).all()


def test_a_dotted_line_is_seen_in_every_other_two_columns():
    columns = strokes.dotted_lines(50, stream(0, "a")).max(axis=1)
    seen = np.arange(28) // 2 % 2 == 1
    # A line is at most half a pixel above or below a pixel's middle.
    assert columns[:, seen].min() >= 1 + math.log(1 - 0.5 / 2.3)
    assert not columns[:, ~seen].any()


def test_a_zigzag_swings_by_two_pixels():
    layers = strokes.zigzags(400, stream(0, "b"))
    columns = np.flatnonzero(layers.any(axis=(0, 1)))
    assert (columns.min(), columns.max()) == (2, 25)
    inside = layers[layers.max(axis=1)[:, 2:26].min(axis=1) > 0.75]
    middle = (inside * np.arange(28)[:, None]).sum(axis=1) / inside.sum(axis=1).clip(1e-9)
    straight = middle[:, 2:3] + (middle[:, 25:26] - middle[:, 2:3]) * (np.arange(28) - 2) / 23
    aside = (middle - straight)[:, 3:25]
    assert len(inside) > 200
    assert np.median(aside.max(axis=1)) == pytest.approx(2, abs=0.6)
    assert np.median(aside.min(axis=1)) == pytest.approx(-2, abs=0.6)


def test_drops_hide_and_are_as_bright_as_mud():
    layers = strokes.drops(50, stream(0, "s"))
    assert layers[layers > 0].min() >= 0.8
    assert 0.02 < (layers > 0).mean() < 0.25
    assert corrupt("spatter", plain(0, 20)).max() == 63
    assert corrupt("spatter", plain(255, 20)).min() <= 255 - 0.8 * (255 - 63)


def test_clouds_are_even_on_average_and_smooth_nearby():
    layers = strokes.clouds(200, stream(0, "c"))
    assert layers.min() >= 0
    assert layers.max() <= 1
    # Up is as likely as down.
    assert layers.mean() == pytest.approx(0.5, abs=0.03)
    near, far = (((layers[:, d:] - layers[:, :-d]) ** 2).mean() for d in (4, 8))
    # From one size to its half all falls by 1.4^2, squares by 1.4^4 = 3.84; where nothing is rough, by 4.
    assert 2.8 < far / near < 4


def test_a_step_has_its_edge_in_one_column():
    picture = plain(0)
    picture[:, :, 14:] = 255
    found = edges(picture)[0]
    assert found.sum(axis=1).tolist() == [1] * 28
    assert np.flatnonzero(found.any(axis=0)).tolist() in ([13], [14])


def test_a_square_has_a_closed_outline_near_its_border():
    from scipy import ndimage

    picture = plain(0)
    picture[:, 8:20, 8:20] = 255
    found = edges(picture)[0]
    border = np.zeros((28, 28), bool)
    border[7:21, 7:21] = True
    border[9:19, 9:19] = False
    assert not (found & ~border).any()
    # What does not touch the outline falls into two parts, inside and outside.
    assert ndimage.label(~found)[1] == 2


def test_a_picture_s_edges_are_its_own(small_digits):
    images = small_digits.images[:20]
    together = edges(images)
    assert all(np.array_equal(together[i], edges(images[i : i + 1])[0]) for i in range(20))


def test_faint_light_has_no_edges_and_an_even_picture_neither():
    picture = plain(0)
    picture[:, :, 14:] = 7
    assert not edges(picture).any()
    assert not edges(plain(255)).any()


def test_a_weak_edge_is_followed_from_a_strong_one_and_not_begun():
    weak = plain(0)
    # Smoothed by one pixel, a step of 0.047 rises by about 0.018 a pixel: between both thresholds.
    weak[:, :, 14:] = 12
    assert not edges(weak).any()
    # Growing slowly, it is strong at the bottom, and followed from there to the top.
    weak[:, :, 14:] = np.linspace(12, 30, 28).astype(np.uint8)[:, None]
    assert edges(weak)[0, :, 12:16].any(axis=1).all()
