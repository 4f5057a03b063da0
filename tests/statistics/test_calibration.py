"""Calibration against a table worked by hand, scikit-learn, and what true probabilities must show."""

import json
import math

import numpy as np
import pytest
from scipy import special
from sklearn.metrics import brier_score_loss, log_loss

from tenfold.errors import DataError
from tenfold.statistics import calibration


def drawn(n: int, *, sharpness: float = 1.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (n, 10) and labels drawn from them, as a classifier that knows itself would give."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(10, 0.1), n)
    labels = (rng.random(n)[:, None] > probabilities.cumsum(axis=1)).sum(axis=1).clip(0, 9)
    logits = sharpness * np.log(np.maximum(probabilities, 1e-7))
    return special.softmax(logits, axis=1), labels


def test_four_answers_by_hand():
    rows = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]])
    result = calibration(rows, [0, 1, 1, 1])
    assert result.log_loss == pytest.approx(-math.log(0.9 * 0.2 * 0.7 * 0.6) / 4, rel=1e-12)
    # Both classes count: 2 (0.1^2 + 0.8^2 + 0.3^2 + 0.4^2) / 4.
    assert result.brier == pytest.approx(0.45, rel=1e-12)
    # Four bins of one answer: |0.6 - 1|, |0.7 - 1|, |0.8 - 0|, |0.9 - 1|.
    assert result.error == pytest.approx(0.4, rel=1e-12)
    assert [bin_.right for bin_ in result.reliability] == [(1, 1), (1, 1), (0, 1), (1, 1)]


def test_scores_are_scikit_learns():
    probabilities, labels = drawn(500, sharpness=2.0)
    result = calibration(probabilities, labels)
    assert result.log_loss == pytest.approx(log_loss(labels, probabilities), rel=1e-6)
    assert result.brier == pytest.approx(
        brier_score_loss(labels, probabilities, labels=range(10)), rel=1e-9
    )


def test_bins_hold_equally_many_answers_and_every_answer_once():
    probabilities, labels = drawn(1_007)
    bins = calibration(probabilities, labels).reliability
    assert len(bins) == 15
    assert {bin_.right.total for bin_ in bins} == {67, 68}
    assert sum(bin_.right.total for bin_ in bins) == 1_007
    told = probabilities.argmax(axis=1) == labels
    assert sum(bin_.right.successes for bin_ in bins) == told.sum()
    assert all(before.high <= after.low for before, after in zip(bins, bins[1:], strict=False))
    assert all(bin_.low <= bin_.confidence <= bin_.high for bin_ in bins)


def test_the_error_is_the_mean_distance_in_bins_of_numpys_quantiles():
    probabilities, labels = drawn(1_500, sharpness=1.5)
    confidences = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    edges = np.quantile(confidences, np.arange(1, 15) / 15)
    bins = np.digitize(confidences, edges)
    gaps = [
        abs(right[bins == b].mean() - confidences[bins == b].mean()) * (bins == b).mean()
        for b in range(15)
    ]
    assert calibration(probabilities, labels).error == pytest.approx(sum(gaps), rel=1e-12)


@pytest.mark.slow
def test_true_probabilities_show_the_error_that_chance_makes():
    # A p-value is uniform where its hypothesis is true, so of 60 the mean is 0.5 to within 4 * 0.29 / 8.
    found = [calibration(*drawn(1_000, seed=seed)) for seed in range(60)]
    p_values = [result.chance.p_value for result in found]
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.15)
    mean_error = np.mean([result.error for result in found])
    assert mean_error == pytest.approx(np.mean([r.chance.mean for r in found]), rel=0.1)
    assert np.mean([r.error <= r.chance.high for r in found]) >= 0.85  # 0.95 - 3.5 * 0.028


def test_chance_makes_less_of_more_answers():
    few, many = (calibration(*drawn(n)).chance.mean for n in (400, 6_400))
    # The mean of a count's distance falls with the root of n: 16 times as many, a quarter.
    assert few / many == pytest.approx(4, rel=0.15)


@pytest.mark.parametrize("sharpness", [0.5, 2.0])
def test_a_classifier_that_is_too_sure_or_not_sure_enough_is_found_out(sharpness):
    result = calibration(*drawn(4_000, sharpness=sharpness))
    assert result.error > result.chance.high
    assert result.chance.p_value == 1 / 1_001
    assert result.fault == ("too sure" if sharpness > 1 else "not sure enough")
    # Logits that were multiplied have to be divided; 4 standard errors at this n are below 10 %.
    assert result.temperature == pytest.approx(sharpness, rel=0.1)
    assert result.log_loss_at_temperature < result.log_loss
    for other in (0.9, 1.1):
        assert result._log_loss_at(other * result.temperature) > result.log_loss_at_temperature


def test_what_is_the_same_twice_is_drawn_the_same():
    probabilities, labels = drawn(300)
    assert calibration(probabilities, labels).json() == calibration(probabilities, labels).json()


def test_one_certain_answer_is_judged_too():
    result = calibration(np.eye(10, dtype=np.float32)[[3]], np.array([3], np.uint8))
    assert (result.error, result.brier, result.log_loss) == (0.0, 0.0, 0.0)
    assert json.loads(json.dumps(result.json(), allow_nan=False))["chance"]["p_value"] == 1.0


@pytest.mark.parametrize(
    ("probabilities", "labels", "words"),
    [
        (np.ones((0, 10)), [], "n >= 1"),
        (np.eye(10), [0], r"received \(10, 10\) and \(1,\)"),
        (np.full((1, 10), np.nan), [0], "sum to 1"),
        ([[3.0, -2.0]], [0], "softmax"),
        ([[0.5, 0.3]], [0], "sum to 1"),
        ([[0.5, 0.5]], [2], r"0\.\.1, received"),
        ([[0.5, 0.5]], [-1], r"0\.\.1, received"),
        ([[0.5, 0.5]], [0.0], "whole numbers"),
    ],
)
def test_what_is_no_probability_is_refused_in_a_sentence(probabilities, labels, words):
    with pytest.raises(DataError, match=words):
        calibration(probabilities, labels)
