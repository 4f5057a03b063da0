"""Digits are checked once and stay as they are; a split is disjoint, complete and repeatable."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenfold.digits import Digits, check_images, check_labels, fingerprints, split
from tenfold.errors import DataError


def numbered(count: int) -> Digits:
    """`count` different pictures: picture i holds i in its first two pixels, and i % 10 as its label."""
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.divmod(np.arange(count), 256)
    return Digits(images, np.arange(count) % 10, "numbered pictures")


def numbers(digits: Digits) -> list[int]:
    return (digits.images[:, 0, 0].astype(int) * 256 + digits.images[:, 0, 1]).tolist()


@pytest.mark.parametrize(
    ("images", "hint"),
    [
        (np.zeros((5, 784), np.uint8), r"received \(5, 784\).*reshape\(-1, 28, 28\)"),
        (np.zeros((28, 28), np.uint8), r"image\[None\]"),
        (np.zeros((5, 28, 28, 1), np.uint8), r"images\[\.\.\., 0\]"),
        (np.zeros((5, 8, 8), np.uint8), "load_digits.*uci-digits"),
        (np.zeros((5, 32, 32), np.uint8), "28x28 grey values"),
        (np.zeros((0, 28, 28), np.uint8), "n >= 1"),
        (np.zeros((2, 28, 28), np.float32), r"dtype float32.*\* 255"),
        (np.zeros((2, 28, 28), bool), "dtype bool"),
        ("a picture", r"received \(\)"),
    ],
)
def test_pictures_of_another_shape_or_kind_are_refused_with_the_way_to_mend_them(images, hint):
    with pytest.raises(DataError, match=hint):
        check_images(images)


@pytest.mark.parametrize(("pixel", "dtype"), [(256, np.int64), (-1, np.int8), (2**63, np.uint64)])
def test_a_pixel_that_is_no_byte_is_refused_and_located(pixel, dtype):
    images = np.zeros((2, 28, 28), dtype)
    images[1, 2, 3] = pixel
    with pytest.raises(
        DataError, match=rf"received {pixel} at index \(1, 2, 3\) \(1 such values\)"
    ):
        check_images(images)


def test_whole_numbers_of_any_width_become_bytes_of_the_same_value():
    images = np.full((1, 28, 28), 255, np.int64)
    images[0, 0, 0] = 0
    checked = check_images(images)
    assert checked.dtype == np.uint8
    assert checked.tolist() == images.tolist()


@pytest.mark.parametrize(
    ("labels", "hint"),
    [
        (np.eye(10), r"argmax\(axis=1\)"),
        (np.array([1.0, 2.0]), "dtype float64"),
        (np.array(["1", "2"]), r"astype\('uint8'\)"),
        (np.array([3, 10]), r"received 10 at index \(1,\)"),
        (np.array([-1, 3]), r"received -1 at index \(0,\)"),
        (np.array(5), r"received \(\)"),
    ],
)
def test_labels_that_are_no_digits_are_refused_with_the_way_to_mend_them(labels, hint):
    with pytest.raises(DataError, match=hint):
        check_labels(labels)


def test_more_labels_than_pictures_are_refused():
    with pytest.raises(DataError, match=r"^somewhere: .* received 3 labels for 2 images"):
        Digits(np.zeros((2, 28, 28), np.uint8), np.array([1, 2, 3]), "somewhere")


def test_digits_cannot_be_changed():
    digits = numbered(3)
    for array in (digits.images, digits.labels):
        assert array is not None
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_labels_nobody_gave_are_asked_for_in_vain():
    unlabelled = Digits(np.zeros((2, 28, 28), np.uint8), None, "canvas")
    with pytest.raises(DataError, match="^canvas: labels are needed"):
        _ = unlabelled.known_labels


def test_rows_are_taken_in_the_order_asked_for():
    taken = numbered(600).take(np.array([599, 0, 300]))
    assert numbers(taken) == [599, 0, 300]
    assert taken.known_labels.tolist() == [9, 0, 0]


def test_the_hash_is_sha256_of_what_is_there():
    """Written out here by another way, and as a constant: runs on disk carry it."""
    digits = Digits(np.zeros((2, 28, 28), np.uint8), np.array([3, 9]), "any")
    by_hand = hashlib.sha256(b"digits 2 True\n" + bytes(2 * 784) + bytes([3, 9])).hexdigest()
    assert digits.hash == by_hand
    assert digits.hash == "41f4147177a50e420ea63c7a20bdae446334926710c5ef2558825e3a43ffa023"


def test_the_hash_follows_content_and_order_and_nothing_else():
    images, labels = numbered(4).images, numbered(4).known_labels
    same = Digits(np.asfortranarray(images.astype(np.int32)), list(labels), "another source")
    assert same.hash == numbered(4).hash
    others = (
        Digits(images, labels[::-1], "numbered pictures"),
        Digits(images[::-1], labels, "numbered pictures"),
        Digits(images, None, "numbered pictures"),
        Digits(images[:3], labels[:3], "numbered pictures"),
    )
    assert len({same.hash, *(digits.hash for digits in others)}) == 5


def test_fingerprints_tell_equal_pictures_from_different_ones():
    images = np.concatenate([numbered(500).images, numbered(500).images[::-1]])
    found = fingerprints(images)
    assert len(set(found.tolist())) == 500
    assert found[:500].tolist() == found[:499:-1].tolist()


def test_a_fingerprint_is_64_bits_of_blake2b_wherever_the_picture_lies_in_memory():
    images = numbered(300).images
    by_hand = int.from_bytes(
        hashlib.blake2b(images[299].tobytes(), digest_size=8).digest(), "little"
    )
    assert fingerprints(images)[299] == by_hand
    assert fingerprints(np.asfortranarray(images))[299] == by_hand


@given(count=st.integers(2, 400), share=st.floats(0.0, 0.99), seed=st.integers(0, 2**63 - 1))
def test_a_split_loses_and_doubles_nothing_and_cuts_off_the_share(count, share, seed):
    digits = numbered(count)
    wanted = round(count * share)
    if share > 0 and not 1 <= wanted < count:
        with pytest.raises(DataError, match="set .* aside"):
            split(digits, share, seed=seed)
        return
    training, validation = split(digits, share, seed=seed)
    cut_off = [] if validation is None else numbers(validation)
    assert len(cut_off) == wanted
    assert sorted(numbers(training) + cut_off) == list(range(count))
    assert numbers(training) == sorted(numbers(training))


def test_a_split_is_a_function_of_the_seed():
    def validation_of(seed: int) -> list[int]:
        return numbers(split(numbered(200), 0.25, seed=seed)[1] or numbered(1))

    assert validation_of(3) == validation_of(3)
    assert validation_of(3) != validation_of(4)
    # As a constant: a run that is resumed by a later version must cut the same pictures off.
    assert numbers(split(numbered(10), 0.2, seed=0)[1] or numbered(1)) == [1, 9]


def test_a_split_draws_from_all_of_the_pictures_alike():
    """Of 1,000 pictures in order, 200 are cut off: of each fifth Hypergeometric(1000, 200, 200).

    Mean 40, deviation 5.06; six deviations are passed once in 10^9 draws, and the draw is fixed.
    """
    _, validation = split(numbered(1000), 0.2, seed=0)
    assert validation is not None
    fifths = np.bincount(np.array(numbers(validation)) // 200, minlength=5)
    assert np.all(np.abs(fifths - 40) < 6 * 5.06)


@pytest.mark.parametrize("share", [-0.5, 1.0, 1.5])
def test_a_share_that_is_no_share_is_refused(share):
    with pytest.raises(DataError, match="aside"):
        split(numbered(10), share, seed=0)
