"""Accuracy against coverage by hand, by the definition, and at its limits."""

import json
from itertools import permutations

import numpy as np
import pytest

from tenfold.errors import DataError
from tenfold.statistics import coverage


def test_five_answers_by_hand():
    result = coverage([0.5, 0.9, 0.8, 0.99, 0.6], [False, True, False, True, True])
    # Surest first: right, right, wrong, right, wrong.
    assert result.errors == pytest.approx([0, 0, 1 / 3, 1 / 4, 2 / 5], rel=1e-12)
    assert result.area == pytest.approx((1 / 3 + 1 / 4 + 2 / 5) / 5, rel=1e-12)
    assert result.best_area == pytest.approx((1 / 4 + 2 / 5) / 5, rel=1e-12)
    assert result.keeping(0.6) == (0.6, 0.8, (1, 3))
    assert result.keeping(1) == (1, 0.5, (2, 5))


def test_of_equals_the_mean_over_all_orders_is_taken():
    right = [True, False, False, True]
    orders = [
        np.cumsum([not right[0], *(not right[i] for i in order)]) / [1, 2, 3, 4]
        for order in permutations([1, 2, 3])
    ]
    result = coverage([0.9, 0.7, 0.7, 0.7], right)
    assert result.errors == pytest.approx(np.mean(orders, axis=0), rel=1e-12)
    # A threshold keeps all equals or none.
    assert result.keeping(0.5).errors == (2, 4)


def test_the_surest_answers_may_be_equals_too():
    # One of the first two is wrong, and nobody knows which of them comes first.
    result = coverage([0.9, 0.9, 0.5], [False, True, True])
    assert result.errors == pytest.approx([1 / 2, 1 / 2, 1 / 3], rel=1e-12)


def test_nothing_changes_with_the_order_of_the_images():
    rng = np.random.default_rng(0)
    confidences, right = rng.integers(0, 20, 200) / 20, rng.random(200) < 0.9
    order = rng.permutation(200)
    shuffled = coverage(confidences[order], right[order])
    assert shuffled.json() == coverage(confidences, right).json()


def test_confidence_that_knows_nothing_leaves_the_errors_where_they_are():
    rng = np.random.default_rng(1)
    result = coverage(rng.random(20_000), rng.random(20_000) < 0.9)
    # Six standard errors of a share of 18,000.
    assert result.keeping(0.9).errors.share == pytest.approx(0.1, abs=0.0134)
    assert result.area == pytest.approx(0.1, abs=0.0134)
    assert result.best_area < 0.01


def test_confidence_that_knows_all_leaves_none():
    result = coverage([0.9] * 9 + [0.2], [True] * 9 + [False])
    assert result.keeping(0.9).errors == (0, 9)
    assert result.area == result.best_area == pytest.approx(0.01, rel=1e-12)


@pytest.mark.parametrize(("share", "kept"), [(0.07, 7), (0.071, 8), (0.5, 50), (1e-9, 1)])
def test_at_least_the_share_asked_for_is_kept(share, kept):
    assert coverage(np.arange(100), np.ones(100)).keeping(share).errors.total == kept


def test_json_has_every_share_with_its_interval():
    payload = json.loads(json.dumps(coverage([0.9, 0.8], [True, False]).json(), allow_nan=False))
    assert [kept["asked"] for kept in payload["kept"]] == [1, 0.995, 0.99, 0.98, 0.95, 0.9]
    assert payload["kept"][0]["errors"] == 1


def test_what_makes_no_curve_is_refused_in_a_sentence():
    for confidences, right in (([], []), ([0.9], [True, False]), ([np.nan], [True])):
        with pytest.raises(DataError, match="expected n >= 1 finite confidences"):
            coverage(confidences, right)
    for share in (0, 1.1, float("nan")):
        with pytest.raises(DataError, match="above 0"):
            coverage([0.9], [True]).keeping(share)
