"""Confident learning by hand, on planted faults, and folds that let no image see its own label."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from tenfold.digits import Digits, Images
from tenfold.errors import DataError, UsageError
from tenfold.evaluation import Audit, audit_labels, out_of_fold


class Gaussians:
    """A Gaussian for each digit in 40 directions, by scikit-learn: quick to fit, right nine times in ten."""

    def __init__(self, digits: Digits) -> None:
        self.model = make_pipeline(
            PCA(40, random_state=0), QuadraticDiscriminantAnalysis(reg_param=0.3)
        )
        self.model.fit(digits.images.reshape(len(digits), -1) / 255, digits.known_labels)

    def predict_proba(self, images: Images) -> np.ndarray:
        return self.model.predict_proba(images.reshape(len(images), -1) / 255)


def told(*rows: dict[int, float]) -> np.ndarray:
    """A row of ten for each {digit: probability}."""
    table = np.zeros((len(rows), 10))
    for row, chances in zip(table, rows, strict=True):
        for digit, chance in chances.items():
            row[digit] = chance
    return table


def test_six_images_by_hand():
    probabilities = told(
        {0: 0.9, 1: 0.1},
        {0: 0.8, 1: 0.2},
        {0: 0.1, 1: 0.9},  # said to be a 0, confidently a 1
        {1: 0.7, 0: 0.3},
        {1: 0.9, 0: 0.1},
        {1: 0.45, 0: 0.55},  # said to be a 1; 0 is more probable, but not as much as on zeros
    )
    result = Audit(np.array([0, 0, 0, 1, 1, 1], np.uint8), probabilities, 1.0)
    assert result.thresholds[:2] == pytest.approx([1.8 / 3, 2.05 / 3], rel=1e-12)
    assert np.isinf(result.thresholds[2:]).all()
    assert result.joint[:2, :2].tolist() == [[2, 1], [0, 2]]
    assert result.joint.sum() == 5
    assert result.ranking.tolist() == [2, 5, 3, 1, 0, 4]
    assert [issue.row for issue in result.issues] == [2, 5]
    assert result.issues == ((2, 0, 1, 0.1, 0.9, True), (5, 1, 0, 0.45, 0.55, False))


def test_what_no_threshold_is_reached_by_is_not_counted_and_rows_are_scaled():
    probabilities = told(
        {0: 1.0},
        {0: 0.6, 1: 0.4},  # below the threshold of 0, 0.8: not counted
        {1: 1.0},
        {1: 1.0},
        {1: 0.2, 0: 0.8},  # a 1 that shows a 0
    )
    result = Audit(np.array([0, 0, 1, 1, 1], np.uint8), probabilities, 1.0)
    assert result.joint[:2, :2].tolist() == [[1, 0], [1, 2]]
    # Two images are labelled 0, three 1, however many were counted.
    assert result.estimated[:2, :2].tolist() == [[2, 0], [1, 2]]
    assert result.estimated_faults == 1
    assert result.estimated.sum() == 5


def test_the_order_does_not_depend_on_how_sure_the_classifier_is_in_general():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(10), 300)
    labels = (rng.random(300)[:, None] > probabilities.cumsum(axis=1)).sum(axis=1).clip(0, 9)
    labels = labels.astype(np.uint8)
    digits = Digits(np.zeros((300, 28, 28), np.uint8), labels, "noise")
    softer = np.sqrt(probabilities)
    softer /= softer.sum(axis=1, keepdims=True)
    one, other = audit_labels(digits, probabilities), audit_labels(digits, softer)
    assert one.ranking.tolist() == other.ranking.tolist()
    assert other.temperature == pytest.approx(one.temperature / 2, rel=0.01)


@pytest.fixture(scope="module")
def planted(small_digits: Digits) -> tuple[Digits, np.ndarray]:
    """1,000 real digits, 30 of which were given the next label -> them, and which."""
    rows = np.random.default_rng(2).choice(1_000, 30, replace=False)
    labels = small_digits.known_labels.copy()
    labels[rows] = (labels[rows] + 1) % 10
    return Digits(small_digits.images, labels, "with 30 faults"), rows


@pytest.fixture(scope="module")
def audited(planted: tuple[Digits, np.ndarray]) -> Audit:
    digits, _ = planted
    return audit_labels(digits, out_of_fold(digits, Gaussians))


def test_planted_faults_are_found(planted, audited):
    _, rows = planted
    listed = {issue.row for issue in audited.issues}
    assert len(listed & set(rows.tolist())) >= 27
    # Of 30 drawn by chance one would be planted.
    assert len(set(audited.ranking[:30].tolist()) & set(rows.tolist())) >= 22
    assert 15 <= audited.estimated_faults <= 60
    joint_off_diagonal = audited.joint.sum() - np.trace(audited.joint)
    assert sum(issue.confident for issue in audited.issues) == joint_off_diagonal


def test_the_faults_stand_where_they_were_planted(audited):
    by_one = audited.joint[(np.arange(10) + 1) % 10, np.arange(10)].sum()
    off_diagonal = audited.joint.sum() - np.trace(audited.joint)
    assert by_one > off_diagonal / 2  # by chance it would be one ninth


def test_a_model_that_learnt_the_labels_by_heart_doubts_too_little(planted, audited):
    digits, rows = planted
    pixels = digits.images.reshape(1_000, -1) / 255
    nearest = KNeighborsClassifier(3, weights="distance").fit(pixels, digits.known_labels)
    by_heart = audit_labels(digits, nearest.predict_proba(pixels))
    assert len(by_heart.issues) < len(rows) / 2 < len(audited.issues)


def test_every_image_is_asked_about_once_by_a_classifier_that_has_not_seen_it(small_digits):
    doubled = Digits(
        np.concatenate([small_digits.images[:200], small_digits.images[:50]]),
        np.concatenate([small_digits.known_labels[:200], small_digits.known_labels[:50]]),
        "with 50 pictures twice",
    )
    asked = []

    class Watching:
        def __init__(self, digits: Digits) -> None:
            self.seen = {image.tobytes() for image in digits.images}
            self.labels = np.bincount(digits.known_labels, minlength=10)

        def predict_proba(self, images: Images) -> np.ndarray:
            assert not self.seen & {image.tobytes() for image in images}
            assert self.labels.max() - self.labels.min() <= 6  # 20 of each, 5 of each twice
            asked.append(len(images))
            return np.full((len(images), 10), len(asked), np.float32)

    told_by = out_of_fold(doubled, Watching, folds=4)
    assert sum(asked) == 250
    assert np.bincount(told_by[:, 0].astype(int))[1:].tolist() == asked


def test_folds_are_a_function_of_the_seed(small_digits):
    def first_labels(seed: int) -> list[float]:
        return out_of_fold(small_digits, Counting, folds=2, seed=seed)[:, 0].tolist()

    class Counting:
        def __init__(self, digits: Digits) -> None:
            self.sum = float(digits.images.sum())

        def predict_proba(self, images: Images) -> np.ndarray:
            return np.full((len(images), 10), self.sum, np.float32)

    assert first_labels(1) == first_labels(1) != first_labels(2)


@pytest.mark.parametrize("folds", [-1, 0, 1, 1_001])
def test_so_many_folds_there_cannot_be(small_digits, folds):
    with pytest.raises(UsageError, match="expected 2 to 1,000"):
        out_of_fold(small_digits, Gaussians, folds=folds)


def test_what_cannot_be_audited_is_refused_in_a_sentence(small_digits):
    with pytest.raises(DataError, match=r"expected probabilities of shape \(1000, 10\)"):
        audit_labels(small_digits, np.full((999, 10), 0.1, np.float32))
    with pytest.raises(DataError, match="softmax"):
        audit_labels(small_digits, np.full((1_000, 10), 3.0, np.float32))
    unlabelled = Digits(small_digits.images, None, "a scan")
    with pytest.raises(DataError, match="a scan: labels are needed"):
        audit_labels(unlabelled, np.full((1_000, 10), 0.1, np.float32))
