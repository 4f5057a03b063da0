"""Drawn pictures that show no digit."""

import numpy as np
import pytest

from tenfold.digits import Digits, fingerprints
from tenfold.pictures.non_digits import _KINDS, draw_non_digits


def test_as_many_as_asked_for_the_same_again_and_others_by_another_chance(small_digits: Digits):
    drawn = [draw_non_digits(60, small_digits, np.random.default_rng(seed)) for seed in (3, 3, 4)]
    assert drawn[0].shape == (60, 28, 28)
    assert drawn[0].dtype == np.uint8
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
    assert len(draw_non_digits(0, small_digits, np.random.default_rng(0))) == 0


@pytest.mark.parametrize("kind", dict.fromkeys(_KINDS), ids=lambda kind: kind.__name__)
def test_no_kind_gives_a_digit_back_as_it_was(small_digits: Digits, kind):
    chance = np.random.default_rng(1)
    drawn = np.stack([kind(small_digits, chance) for _ in range(100)])
    assert not np.isin(fingerprints(drawn), fingerprints(small_digits.images)).any()


@pytest.mark.parametrize("kind", dict.fromkeys(_KINDS), ids=lambda kind: kind.__name__)
def test_every_kind_varies(small_digits: Digits, kind):
    chance = np.random.default_rng(2)
    drawn = np.stack([kind(small_digits, chance) for _ in range(100)])
    # Blank paper is the one thing that looks the same twice, two times of five.
    assert len(np.unique(fingerprints(drawn))) > (50 if kind.__name__ == "_blank" else 90)
    assert drawn.max() > 100


def test_only_digits_that_a_mirror_or_a_quarter_turn_changes_are_turned(small_digits: Digits):
    [turned] = [kind for kind in _KINDS if kind.__name__ == "_turned"]
    labels = small_digits.known_labels
    safe = small_digits.take(np.flatnonzero(np.isin(labels, [0, 1, 8]))[:20])
    one_five = small_digits.take(np.flatnonzero(labels == 5)[:1])
    both = Digits(
        np.concatenate([safe.images, one_five.images]),
        np.concatenate([safe.known_labels, one_five.known_labels]),
        "test",
    )
    five = one_five.images[0]
    possible = fingerprints(np.stack([np.rot90(five), np.rot90(five, 3)]))
    drawn = np.stack([turned(both, np.random.default_rng(seed)) for seed in range(20)])
    assert np.isin(fingerprints(drawn), possible).all()


def test_digits_that_no_mirror_changes_are_enough(small_digits: Digits):
    labels = small_digits.known_labels
    some = small_digits.take(np.flatnonzero(np.isin(labels, [0, 1, 8])))
    assert draw_non_digits(60, some, np.random.default_rng(0)).shape == (60, 28, 28)
