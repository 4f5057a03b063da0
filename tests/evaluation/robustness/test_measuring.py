"""Counts against a classifier whose answers are known, and laws of the curves."""

import json

import numpy as np
import pytest

from tenfold.digits import Digits
from tenfold.errors import DataError
from tenfold.evaluation.robustness import CORRUPTIONS, robustness_of
from tenfold.evaluation.whitebox import WhiteBox
from tenfold.layers import Dense
from tenfold.network import Network
from tenfold.weights import Member


class Always:
    """Says the same digit of every picture."""

    def __init__(self, digit):
        self.answer = np.eye(10, dtype=np.float32)[digit]

    def predict_proba(self, images):
        return np.tile(self.answer, (len(images), 1))


class Brightness:
    """Says 0 of a picture that is dark on average, 1 of one that is not."""

    def predict_proba(self, images):
        return np.eye(10, dtype=np.float32)[(images.mean(axis=(1, 2)) > 60).astype(int)]


@pytest.fixture(scope="module")
def trained(small_digits):
    """A linear model by one closed-form step: each class the mean of its pictures."""
    network = Network(Dense(10))
    pictures = small_digits.images.reshape(-1, 784) / 255
    means = np.stack([pictures[small_digits.labels == d].mean(axis=0) for d in range(10)])
    weights = {
        "dense_1/kernel": means.T.astype(np.float32),
        "dense_1/bias": (-0.5 * (means**2).sum(axis=1)).astype(np.float32),
    }
    return WhiteBox([Member(network, weights)])


def test_who_always_says_the_same_is_right_as_often_whatever_happens(small_digits):
    # 100 pictures, ten of each digit.
    found = robustness_of(Always(3), small_digits.take(np.arange(100)))
    assert found.clean == (10, 100)
    assert {told for _, told in found.corruptions} == {(10, 100)}
    assert all(told == (10, 100) for curve in found.curves for told in curve.told)
    assert found.corruption_error.mean == pytest.approx(0.9, abs=1e-12)
    assert found.attacks == ()


def test_the_mean_error_is_that_of_the_table_by_hand():
    dark = Digits(np.zeros((20, 28, 28), np.uint8), np.zeros(20, np.uint8), "dark")
    found = robustness_of(Brightness(), dark)
    told = {name: share.share for name, share in found.corruptions}
    # Half of white, and half of the frame white, are bright; black under a line stays dark.
    assert (told["brightness"], told["stripe"], told["dotted line"], told["shear"]) == (0, 0, 1, 1)
    by_hand = 1 - sum(told.values()) / 15
    assert found.corruption_error.mean == pytest.approx(by_hand, abs=1e-12)
    assert found.corruption_error.n == 20


def test_more_eps_never_helps_and_what_is_left_alone_is_the_clean_share(trained, small_digits):
    digits = small_digits.take(np.arange(80))
    found = robustness_of(trained, digits, box=trained, attacked=60, pgd_steps=5)
    assert [curve.name for curve in found.attacks] == ["FGSM", "PGD (5 steps)"]
    for curve in found.attacks:
        right = [told.successes for told in curve.told]
        assert right == sorted(right, reverse=True)
        assert curve.told[0].total == 60
        assert right[0] > 30 > right[-1]
    for curve in found.placings:
        at = curve.strengths.index(1.0 if curve.name == "scale" else 0)
        assert curve.told[at] == found.clean


def test_a_seed_decides_every_count(trained, small_digits):
    digits = small_digits.take(np.arange(50))
    first, again, other = (
        robustness_of(trained, digits, box=trained, seed=seed, pgd_steps=2).json()
        for seed in (3, 3, 4)
    )
    assert first == again
    assert first != other | {"seed": 3}


def test_rows_and_json_say_the_same(trained, small_digits):
    found = robustness_of(trained, small_digits.take(np.arange(40)), box=trained, pgd_steps=2)
    rows, value = dict(found.table()), json.loads(json.dumps(found.json()))
    assert rows["as they are"] == str(found.clean)
    assert set(CORRUPTIONS) < set(rows)
    assert rows["rotation -15 degrees"].startswith(f"{found.placings[1].told[3].share:.2%}")
    fog = dict(found.corruptions)["fog"]
    assert value["corruptions"]["fog"]["correct"] == fog.successes
    assert value["corruptions"]["fog"]["low"] == pytest.approx(fog.interval()[0])


def test_what_cannot_be_counted_is_refused(small_digits):
    with pytest.raises(DataError, match="labels are needed"):
        robustness_of(Always(0), Digits(small_digits.images, None, "a scan"))
    with pytest.raises(DataError, match="at least two pictures, received 1"):
        robustness_of(Always(0), small_digits.take(np.arange(1)))


def test_what_was_found_within_a_smaller_eps_counts_within_a_larger_one(monkeypatch):
    dark = Digits(np.zeros((20, 28, 28), np.uint8), np.zeros(20, np.uint8), "dark")

    def only_near(box, images, labels, *, eps):
        return np.full_like(images, 255) if eps == 0.1 else images

    monkeypatch.setattr("tenfold.evaluation.robustness.measuring.fgsm", only_near)
    network = Network(Dense(10))
    weights = {"dense_1/kernel": np.zeros((784, 10), "f4"), "dense_1/bias": np.zeros(10, "f4")}
    box = WhiteBox([Member(network, weights)])
    found = robustness_of(Brightness(), dark, box=box, pgd_steps=1)
    assert [told.successes for told in found.attacks[0].told] == [20, 0, 0, 0]
