"""Suspicion: from one image more than 99.9 % on, of a thousand images on, and for every image seen before."""

import numpy as np
import pytest

from tenfold.digits import fingerprints
from tenfold.evaluation import count_seen, leak_warnings
from tenfold.statistics import Proportion


@pytest.mark.parametrize(
    ("successes", "total", "suspicious"),
    [
        (
            9_990,
            10_000,
            False,
        ),  # 99.9 %, what a model gets that is right about all but the 10 wrong labels
        (9_991, 10_000, True),
        (1_000, 1_000, True),
        (999, 1_000, False),
        (999, 999, False),
        (0, 0, False),
        (59_999, 60_000, True),
    ],
)
def test_more_than_labels_allow_is_said(successes, total, suspicious):
    sentences = leak_warnings(Proportion(successes, total))
    assert len(sentences) == suspicious
    assert all(f"({successes:,}/{total:,}; " in sentence for sentence in sentences)


def test_images_that_were_trained_on_are_said_whatever_the_accuracy():
    (sentence,) = leak_warnings(Proportion(400, 1_000), seen=30)
    assert sentence.startswith("30 of these 1,000 images were in the training data")
    assert len(leak_warnings(Proportion(1_000, 1_000), seen=30)) == 2


def test_an_image_was_seen_where_its_pixels_were():
    images = np.random.default_rng(0).integers(0, 256, (6, 28, 28)).astype(np.uint8)
    trained_on = fingerprints(images[:4])
    assert count_seen(images, trained_on) == 4
    assert count_seen(images[[5, 0, 0]], trained_on) == 2
    changed = images[:4].copy()
    changed[:, 27, 27] ^= 1
    assert count_seen(changed, trained_on) == 0
