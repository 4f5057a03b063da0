"""NumPy archives: numpy's own are read; pickles, bombs and lies about size are not."""

import contextlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tenfold import data
from tenfold.data import npz
from tenfold.digits import Digits
from tenfold.errors import DataError

LABELS = np.array([3, 1, 4], np.uint8)
IMAGES = np.arange(3 * 784, dtype=np.uint32).reshape(3, 28, 28).astype(np.uint8)


def savez(**arrays: object) -> bytes:
    archive = io.BytesIO()
    np.savez(archive, **arrays)
    return archive.getvalue()


def zipped(members: list[tuple[str, bytes]], *, method: int = zipfile.ZIP_STORED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, member in members:
            # A fixed date keeps the bytes, and so the names of tests, the same in every process.
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            archive.writestr(info, member)
    return content.getvalue()


def npy(header: str, body: bytes = b"", *, version: bytes = b"\1\0") -> bytes:
    width = 2 if version == b"\1\0" else 4
    return b"\x93NUMPY" + version + len(header).to_bytes(width, "little") + header.encode() + body


def plain_header(shape: str, descr: str = "|u1") -> str:
    return f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"


def test_keras_layout_gives_two_parts(tmp_path: Path, some: Callable[[int], Digits]) -> None:
    train, test = some(30).take(np.arange(20)), some(30).take(np.arange(20, 30))
    path = tmp_path / "mnist.npz"
    np.savez_compressed(
        path,
        x_train=train.images,
        y_train=train.known_labels,
        x_test=test.images,
        y_test=test.known_labels,
    )
    parts = data.load(f"npz:{path}")
    assert parts.test is not None
    assert (parts.train.hash, parts.test.hash) == (train.hash, test.hash)
    assert data.read_images(str(path)).hash == test.hash


def test_other_layouts_give_what_they_have() -> None:
    both = npz.parse_npz(savez(images=IMAGES, labels=LABELS), where="f")
    assert both.train.known_labels.tolist() == [3, 1, 4]
    assert npz.parse_npz(savez(images=IMAGES, writer=LABELS), where="f").train.labels is None
    assert npz.parse_npz(savez(x_train=IMAGES, y_train=LABELS), where="f").test is None


@settings(max_examples=30, deadline=None)
@given(
    images=hnp.arrays(np.uint8, st.tuples(st.integers(1, 4), st.just(28), st.just(28))),
    dtype=st.sampled_from(["<i8", ">i4", ">u2", "|u1"]),
    order=st.sampled_from("CF"),
    compressed=st.booleans(),
)
def test_every_whole_number_dtype_and_order_is_read_as_numpy_wrote_it(
    images: np.ndarray, dtype: str, order: str, compressed: bool
) -> None:
    content = io.BytesIO()
    write = np.savez_compressed if compressed else np.savez
    write(content, images=np.asarray(images.astype(dtype), order=order))
    read = npz.parse_npz(content.getvalue(), where="f").train.images
    np.testing.assert_array_equal(read, images)


class Opened(Exception):
    """A pickle ran."""


class Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Opened, ("x",)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "expected a .npz archive"),
        (b"label,pixel0\n", "expected a .npz archive"),
        (npy(plain_header("(3, 28, 28)"), IMAGES.tobytes()), "expected a .npz archive"),
        (savez(images=IMAGES)[:-30], "expected a .npz archive"),
        (savez(images=IMAGES)[: len(IMAGES.tobytes())], "expected a .npz archive"),
        (savez(images=IMAGES)[200:], "damaged"),
        (b"PK\x05\x06" + bytes(18), "received no 'images' among: none"),
        (savez(x_train=IMAGES), "received no 'y_train' among: x_train"),
        (savez(x_train=IMAGES, y_train=LABELS, x_test=IMAGES), "received no 'y_test'"),
        (savez(x_train=IMAGES, y_train=LABELS, y_test=LABELS), "received no 'x_test'"),
        (savez(pictures=IMAGES, answers=LABELS), "no 'images' among: answers, pictures"),
        (savez(images=IMAGES, labels=LABELS[:2]), "2 labels for 3 images"),
        (savez(images=IMAGES, labels=LABELS + 7), r"images, labels: labels: expected 0\.\.9"),
        (savez(images=IMAGES, labels=LABELS.astype(float)), "received dtype float64"),
        (savez(images=IMAGES, labels=np.eye(10)), "One-hot"),
        (savez(images=IMAGES / 255), r"received dtype float64.*\* 255"),
        (savez(images=IMAGES > 3), "received dtype bool"),
        (savez(images=IMAGES.astype(int) - 1), "received -1"),
        (savez(images=IMAGES.astype(int) + 1), "received 256"),
        (savez(images=np.zeros((3, 8, 8), np.uint8)), r"\(3, 8, 8\).*uci-digits"),
        (savez(images=IMAGES.reshape(3, 784)), r"reshape\(-1, 28, 28\)"),
        (savez(images=IMAGES[..., None]), r"images\[\.\.\., 0\]"),
        (savez(images=np.zeros((0, 28, 28), np.uint8)), r"shape \(0, 28, 28\)"),
        (savez(images=np.array(["a"])), "plain numbers"),
        (savez(images=IMAGES, labels=np.array(["3", "1", "4"])), "plain numbers"),
        (savez(images=np.zeros(3, [("a", "u1")])), "plain numbers"),
        (savez(images=np.zeros(3, "c8")), "plain numbers"),
        (savez(images=np.zeros(3, "M8[s]")), "plain numbers"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_archive_that_does_not_fit_is_told_what_is_wrong(content: bytes, says: str) -> None:
    with pytest.raises(DataError, match=f"^f: .*{says}"):
        npz.parse_npz(content, where="f")


def test_a_pickle_is_refused_and_never_opened() -> None:
    content = savez(images=np.array([Trap()], dtype=object))
    with np.load(io.BytesIO(content), allow_pickle=True) as archive, pytest.raises(Opened):
        raise archive["images"][0]  # the trap is a real one
    with pytest.raises(DataError, match="received a pickled object"):
        npz.parse_npz(content, where="f")


@pytest.mark.parametrize(
    ("member", "says"),
    [
        (npy(plain_header("(40000000000,)")), "expected 40,000,000,0.. bytes"),
        (npy(plain_header("(3, 28, 28)"), bytes(3 * 784 - 1)), "expected 2,4.. bytes"),
        (npy(plain_header("(3, 28, 28)"), bytes(3 * 784 + 1)), "expected 2,4.. bytes"),
        (npy(plain_header("(999999999999, 999999999999, 999999999999)")), "expected 999,"),
        (npy(plain_header("(-1, 28, 28)"), bytes(784)), "plain numbers"),
        (npy(plain_header("(1, 1, 1, 1, 1, 1)"), bytes(1)), "plain numbers"),
        (npy(plain_header("(3, 28, 28)", "|O"), bytes(2352)), "pickled"),
        (npy(plain_header("(3, 28, 28)", "|f1"), bytes(2352)), "plain numbers"),
        (npy(plain_header("__import__('os')")), "plain numbers"),
        (npy("(" * 4000), "plain numbers"),
        (npy(plain_header("(3, 28, 28)") + " " * 5000, bytes(2352)), "over 4 KB"),
        (npy(plain_header("(" + "1" * 3000), bytes(1)), "plain numbers"),
        (npy(plain_header("(3, 28, 28)"), bytes(2352), version=b"\7\0"), "expected a NumPy array"),
        (b"\x93NUMPY", "expected a NumPy array"),
        (b"", "expected a NumPy array"),
        (b"x" * 3000, "expected a NumPy array"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_header_is_not_believed(member: bytes, says: str, method: int, peak_memory) -> None:
    content = zipped([("images.npy", member)], method=method)
    with peak_memory() as peak, pytest.raises(DataError, match=f"^f: images: .*{says}"):
        npz.parse_npz(content, where="f")
    assert peak[0] < 2**20


def test_the_second_version_of_npy_is_read() -> None:
    member = npy(plain_header("(3, 28, 28)"), IMAGES.tobytes(), version=b"\2\0")
    read = npz.parse_npz(zipped([("images.npy", member)]), where="f").train.images
    np.testing.assert_array_equal(read, IMAGES)


def test_a_bomb_of_zeros_is_refused_before_it_fills_memory(peak_memory) -> None:
    # Right in every size, and 16 MB from 15 KB.
    member = npy(plain_header("(20000, 28, 28)"), bytes(20_000 * 784))
    bomb = zipped([("images.npy", member)], method=zipfile.ZIP_DEFLATED)
    fits = pytest.raises(DataError, match="expected an array that fits the file")
    with peak_memory() as peak, fits:
        npz.parse_npz(bomb, where="f")
    assert peak[0] < 5 * len(bomb)


def test_a_directory_of_thousands_is_refused_unread() -> None:
    content = zipped([(f"array{i}.npy", b"") for i in range(3000)])
    with pytest.raises(DataError, match="an archive of a few arrays"):
        npz.parse_npz(content, where="f")


def test_a_directory_that_says_its_size_in_another_place_is_refused() -> None:
    # A zip64 record before the end record overrides what that one says, and zipfile believes it.
    content = savez(images=IMAGES)
    end = content.rindex(b"PK\5\6")
    record = b"PK\6\6" + (44).to_bytes(8, "little") + bytes(44)
    locator = b"PK\6\7" + bytes(4) + end.to_bytes(8, "little") + (1).to_bytes(4, "little")
    with pytest.raises(DataError, match="an archive of a few arrays"):
        npz.parse_npz(content[:end] + record + locator + content[end:], where="f")


def test_two_arrays_of_one_name_are_refused() -> None:
    member = npy(plain_header("(3, 28, 28)"), IMAGES.tobytes())
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = zipped([("images.npy", member), ("images.npy", member)])
    with pytest.raises(DataError, match="received two of one name"):
        npz.parse_npz(content, where="f")


def test_a_password_and_a_strange_packing_are_refused() -> None:
    content = bytearray(savez(images=IMAGES))
    directory = content.index(b"PK\1\2")
    for place, value, says in ((8, 1, "password-protected"), (10, 99, "damaged")):
        changed = content.copy()
        changed[directory + place] = value
        changed[place - 2] = value  # the same field of the local header
        with pytest.raises(DataError, match=says):
            npz.parse_npz(bytes(changed), where="f")


def test_a_flipped_bit_anywhere_is_found_or_changes_nothing() -> None:
    content = savez(images=IMAGES, labels=LABELS)
    expected = npz.parse_npz(content, where="f").train.hash
    chance = np.random.default_rng(0)
    for place in chance.choice(len(content), 400, replace=False):
        changed = bytearray(content)
        changed[place] ^= 1 << int(chance.integers(8))
        with contextlib.suppress(DataError):
            # A bit in a date or in the letters of "labels" leaves the pictures as they were.
            read = npz.parse_npz(bytes(changed), where="f").train
            assert read.hash == expected or read.labels is None
            np.testing.assert_array_equal(read.images, IMAGES)


@settings(max_examples=200, deadline=None)
@given(cut=st.integers(0, 3000), noise=st.binary(max_size=30))
def test_no_bytes_at_all_raise_anything_but_a_data_error(cut: int, noise: bytes) -> None:
    whole = savez(images=IMAGES)
    changed = whole[:cut] + noise + whole[cut + len(noise) :]
    with contextlib.suppress(DataError):
        read = npz.parse_npz(changed, where="f").train.images
        np.testing.assert_array_equal(read, IMAGES)
