"""Audits where the truth is known: MNIST's test part, of which people said what its images show."""

from dataclasses import replace

import numpy as np
import pytest

from tenfold.auditing import audit
from tenfold.errors import DataError, UsageError
from tenfold.evaluation.corrected import DOUBTS
from tenfold.recipes import named_recipe


@pytest.mark.slow
@pytest.mark.mnist
def test_most_labels_that_people_doubted_stand_among_the_first_forty():
    found = audit("mnist", part="test", recipe="fast", folds=2, say=lambda _: None)
    first = set(found.ranking[:40].tolist())
    # By chance it would be 0.06 of the 15. What is missing is mostly told as it is labelled.
    assert sum(doubt.row in first for doubt in DOUBTS) >= 8
    # Of the five images in whose label nobody believed, nearly all.
    nobody = [doubt.row for doubt in DOUBTS if doubt.votes.official == 0]
    assert len(nobody) == 5
    assert sum(row in first for row in nobody) >= 3


@pytest.mark.parametrize(("part", "images"), [(None, 4_000), ("train", 4_000), ("test", 1_000)])
def test_without_models_the_training_part_is_dealt_out_unless_another_is_named(part, images):
    recipe = replace(named_recipe("seed-numpy"), epochs=1)
    said: list[str] = []
    found = audit("mnist5k", recipe=recipe, folds=2, part=part, say=said.append)
    assert len(found.labels) == images
    # The test part is asked of networks that know the training part too.
    beside = 4_000 if part == "test" else 0
    assert f"Training number 2, on {images // 2 + beside:,} images." in said


def test_nothing_that_is_audited_is_trained_on_under_another_name(small_digits, tmp_path):
    one = tmp_path / "twice.npz"
    images, labels = small_digits.images, small_digits.known_labels
    # The first 100 test images are the training part's as well, with other labels.
    np.savez(
        one,
        x_train=images,
        y_train=(labels + 1) % 10,
        x_test=images[:100],
        y_test=labels[:100],
    )
    said: list[str] = []
    recipe = replace(named_recipe("seed-numpy"), epochs=1)
    audit(f"npz:{one}", recipe=recipe, folds=2, part="test", say=said.append)
    assert f"Training number 1, on {len(images) - 100 + 50:,} images." in said


def test_an_audit_that_cannot_be_made_ends_in_a_sentence(small_digits, tmp_path):
    one = tmp_path / "one.npz"
    np.savez(one, images=small_digits.images, labels=small_digits.known_labels)
    with pytest.raises(UsageError, match="expected data with a test part"):
        audit(f"npz:{one}", part="test", say=lambda _: None)
    with pytest.raises(UsageError, match="No recipe named 'fsat'"):
        audit(small_digits, recipe="fsat")
    with pytest.raises(UsageError, match="expected 2 to 1,000"):
        audit(small_digits, folds=1)
    with pytest.raises(UsageError, match="holds other things"):
        audit(small_digits, out=tmp_path)
    unlabelled = type(small_digits)(small_digits.images, None, "a scan")
    with pytest.raises(DataError, match="a scan: labels are needed"):
        audit(unlabelled)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["one.npz"]
