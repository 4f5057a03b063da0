"""Softmax and cross-entropy against logarithms known by heart, SciPy and scikit-learn."""

import math

import numpy as np
from scipy.special import softmax as scipy_softmax
from sklearn.metrics import log_loss

from tenfold.randomness import stream
from tenfold.scratch.losses import cross_entropy, cross_entropy_gradient, softmax

LOGITS = stream(0, "logits").standard_normal((50, 10)) * 4
LABELS = stream(0, "labels").integers(0, 10, 50).astype(np.uint8)


def test_uniform_logits_cost_the_log_of_the_class_count():
    loss = cross_entropy(
        np.zeros((4, 10)), np.eye(10, dtype=np.float32)[np.array([0, 3, 5, 9], np.uint8)]
    )
    assert np.allclose(loss, math.log(10), rtol=1e-15)


def test_uniform_logits_pull_the_label_up_by_nine_tenths_and_the_others_down_by_one():
    gradient = cross_entropy_gradient(
        np.zeros((2, 10)), np.eye(10, dtype=np.float32)[np.array([1, 1], np.uint8)]
    )
    # (p - target) / n with p = 1/10 and n = 2
    assert np.allclose(gradient, [[0.05, -0.45] + [0.05] * 8] * 2, rtol=1e-15)


def test_softmax_agrees_with_scipy():
    assert np.allclose(softmax(LOGITS), scipy_softmax(LOGITS, axis=1), rtol=1e-13)


def test_cross_entropy_agrees_with_scikit_learn():
    ours = cross_entropy(LOGITS, np.eye(10, dtype=np.float32)[LABELS]).mean()
    assert math.isclose(
        ours, log_loss(LABELS, scipy_softmax(LOGITS, axis=1), labels=range(10)), rel_tol=1e-13
    )


def test_a_gradient_of_logits_sums_to_0_because_shifting_them_all_changes_nothing():
    assert np.allclose(
        cross_entropy_gradient(LOGITS, np.eye(10, dtype=np.float32)[LABELS]).sum(axis=1),
        0,
        atol=1e-16,
    )


def test_huge_logits_overflow_nowhere_and_cost_what_they_are_apart():
    logits = np.zeros((2, 10), np.float32)
    logits[:, 4] = 1e30
    loss = cross_entropy(logits, np.eye(10, dtype=np.float32)[np.array([4, 5], np.uint8)])
    assert np.array_equal(loss, np.float32([0, 1e30]))
    assert np.array_equal(softmax(logits), np.eye(10, dtype=np.float32)[np.array([4, 4], np.uint8)])
    assert loss.dtype == np.float32
