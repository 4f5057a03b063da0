"""A judgement against a table worked by hand and against scikit-learn."""

import math

import numpy as np
import pytest
from sklearn import metrics

from tenfold.digits import Digits
from tenfold.errors import DataError
from tenfold.evaluation import Judgement, judge, judgement_of


def rows(*sure: tuple[int, float]) -> np.ndarray:
    """One row per (digit, probability); the rest is spread over the other nine."""
    table = np.empty((len(sure), 10), np.float32)
    for row, (digit, probability) in zip(table, sure, strict=True):
        row[:] = (1 - probability) / 9
        row[digit] = probability
    return table


def test_four_images_judged_by_hand():
    labels = np.array([3, 3, 5, 0], np.uint8)
    result = judgement_of(rows((3, 0.7), (8, 0.55), (5, 0.91), (0, 1.0)), labels)
    assert str(result.accuracy).startswith("75.00% (3/4;")
    assert result.per_class[3] == (1, 2)
    assert result.per_class[5] == (1, 1)
    assert result.per_class[9] == (0, 0)
    assert result.confusion[3, 8] == 1
    assert result.confusion.sum() == 4
    # -log of 0.7, of (1 - 0.55) / 9 = 0.05, of 0.91 and of 1; float32 probabilities carry 6e-8.
    expected = -(math.log(0.7) + math.log(0.05) + math.log(0.91)) / 4
    assert result.log_loss == pytest.approx(expected, rel=1e-6)


def test_it_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 500).astype(np.uint8)
    probabilities = rng.dirichlet(np.ones(10), 500)
    result = judgement_of(probabilities, labels)
    predicted_labels = probabilities.argmax(axis=1)
    assert (result.confusion == metrics.confusion_matrix(labels, predicted_labels)).all()
    assert result.accuracy.share == metrics.accuracy_score(labels, predicted_labels)
    assert result.log_loss == pytest.approx(metrics.log_loss(labels, probabilities), rel=1e-12)


def test_a_certain_mistake_costs_a_finite_amount():
    probabilities = np.eye(10, dtype=np.float32)[[1]]
    assert judgement_of(probabilities, np.array([2], np.uint8)).log_loss == pytest.approx(
        -math.log(1e-7), rel=1e-12
    )


def test_digits_without_labels_cannot_be_judged():
    digits = Digits(np.zeros((2, 28, 28), np.uint8), None, "a scan")
    with pytest.raises(DataError, match="a scan: labels are needed"):
        judge(None, digits)


def test_what_is_taken_for_what_by_hand():
    told = judgement_of(
        rows((9, 0.9), (9, 0.8), (4, 0.7), (3, 0.6), (7, 0.9)), np.array([4, 4, 4, 5, 1], np.uint8)
    )
    assert told.most_confused == [(4, 9, 2), (1, 7, 1), (5, 3, 1)]


def test_a_judgement_knows_how_well_the_classifier_knows_itself():
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet(np.full(10, 0.1), 400).astype(np.float32)
    labels = rng.integers(0, 10, 400).astype(np.uint8)
    result = judgement_of(probabilities, labels)
    assert result.calibration.log_loss == result.log_loss
    assert result.coverage.keeping(1).errors == (400 - result.accuracy.successes, 400)
    surest = result.confidences >= np.sort(result.confidences)[40]
    kept = result.coverage.keeping(0.9).errors
    assert kept == ((~result.right[surest]).sum(), surest.sum())


def test_of_answers_alone_nothing_is_said_about_their_probabilities():
    sure = np.ones(2, np.float32)
    answers = Judgement(np.array([1, 2], np.uint8), np.array([1, 3], np.uint8), sure, 0.5)
    assert answers.coverage.area == 0.5
    with pytest.raises(DataError, match="only the answers were kept"):
        _ = answers.calibration
