"""The corrected labels: what people voted, counted by hand, and given to MNIST's test part alone."""

import numpy as np
import pytest

from tenfold.data import load, mnist
from tenfold.digits import Digits
from tenfold.evaluation import Judgement, cleaned, corrected
from tenfold.evaluation.corrected import DOUBTS

# By hand from the published votes: at least three of five people saw this other digit.
OTHER_LABELS = {
    947: 9,
    1621: 6,
    1901: 4,
    2462: 0,
    2597: 3,
    3558: 0,
    5937: 3,
    6651: 6,
    6783: 6,
    9729: 6,
}
LEFT_OUT = {2130, 2654, 3520, 8527, 9679}


def told(digits: Digits, predicted_labels: np.ndarray) -> Judgement:
    sure = np.ones(len(digits), np.float32)
    return Judgement(digits.known_labels, predicted_labels.astype(np.uint8), sure, 0.0)


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Digits:
    """10,000 empty pictures that pass for MNIST's test part, labelled as it is where that matters."""
    labels = np.zeros(10_000, np.uint8)
    for doubt in DOUBTS:
        labels[doubt.row] = doubt.label
    digits = Digits(np.zeros((10_000, 28, 28), np.uint8), labels, "a stand-in")
    monkeypatch.setattr(mnist, "TEST_HASH", digits.hash)
    return digits


def test_fifteen_labels_are_in_doubt_ten_have_another_and_five_none():
    rows = [doubt.row for doubt in DOUBTS]
    assert rows == sorted(set(rows))
    assert len(rows) == 15
    assert all(0 <= row < 10_000 for row in rows)
    assert {doubt.row: doubt.shows for doubt in DOUBTS if doubt.shows is not None} == OTHER_LABELS
    assert {doubt.row for doubt in DOUBTS if doubt.shows is None} == LEFT_OUT


def test_five_people_voted_on_each_and_no_official_label_found_a_majority():
    for doubt in DOUBTS:
        assert sum(doubt.votes) == 5
        assert doubt.votes.official < 3
        assert doubt.label != doubt.other
        assert {doubt.label, doubt.other} <= set(range(10))


def test_whoever_repeats_the_official_labels_is_wrong_ten_times(stand_in):
    judged = told(stand_in, stand_in.known_labels)
    assert judged.accuracy == (10_000, 10_000)
    assert corrected(judged, stand_in) == (9_985, 9_995)


def test_whoever_sees_what_people_saw_is_right_every_time(stand_in):
    seen = stand_in.known_labels.copy()
    for row, digit in OTHER_LABELS.items():
        seen[row] = digit
    for row in LEFT_OUT:
        seen[row] = 7  # which nobody saw
    judged = told(stand_in, seen)
    assert judged.accuracy == (9_985, 10_000)
    assert corrected(judged, stand_in) == (9_995, 9_995)
    seen[:3] = 1  # three more mistakes, on images without doubt
    assert corrected(told(stand_in, seen), stand_in) == (9_992, 9_995)


def test_without_the_doubtful_images_only_the_others_count(stand_in):
    seen = stand_in.known_labels.copy()
    for doubt in DOUBTS:
        seen[doubt.row] = (doubt.label + 1) % 10
    assert cleaned(told(stand_in, seen), stand_in) == (9_985, 9_985)
    seen[:3] = 1  # three mistakes, on images without doubt
    assert cleaned(told(stand_in, seen), stand_in) == (9_982, 9_985)


def test_judging_is_left_as_it_was(stand_in):
    judged = told(stand_in, stand_in.known_labels)
    corrected(judged, stand_in)
    assert judged.accuracy == (10_000, 10_000)


@pytest.mark.parametrize(
    "rows", [np.arange(9_999), np.arange(10_000)[::-1], np.roll(np.arange(10_000), 1)]
)
def test_a_part_of_it_or_another_order_is_never_corrected(stand_in, rows):
    other = stand_in.take(rows)
    assert corrected(told(other, other.known_labels), other) is None
    assert cleaned(told(other, other.known_labels), other) is None


def test_other_digits_have_no_corrected_labels(small_digits):
    assert corrected(told(small_digits, small_digits.known_labels), small_digits) is None


@pytest.mark.mnist
def test_the_rows_are_those_of_mnists_test_part():
    test = load("mnist", say=lambda _: None).test
    assert [test.known_labels[doubt.row] for doubt in DOUBTS] == [doubt.label for doubt in DOUBTS]
    assert corrected(told(test, test.known_labels), test) == (9_985, 9_995)
    assert cleaned(told(test, test.known_labels), test) == (9_985, 9_985)
