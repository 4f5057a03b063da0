"""IDX: what other code writes is read as it was; what is damaged is named."""

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tenfold import data
from tenfold.data import idx
from tenfold.digits import Digits
from tenfold.errors import DataError

MakeIdx = Callable[[np.ndarray], bytes]


def pack(content: bytes) -> bytes:
    """Gzip without the time of day, so that a test has the same name in every process."""
    return gzip.compress(content, mtime=0)


def only_words(value: object) -> str:
    """The expected message names a test, the bytes do not."""
    return value if isinstance(value, str) else ""


LABELS = struct.pack(">II", 2049, 3) + bytes([7, 2, 1])
IMAGES = struct.pack(">IIII", 2051, 3, 28, 28) + bytes(range(256)) * 9 + bytes(3 * 784 - 256 * 9)


def test_the_layout_is_the_one_on_lecuns_page() -> None:
    assert idx.parse_labels(LABELS, where="f").tolist() == [7, 2, 1]
    images = idx.parse_images(IMAGES, where="f")
    # The second picture begins at byte 16 + 784, its second row 28 later.
    assert images.shape == (3, 28, 28)
    assert images[1, 1, 0] == IMAGES[16 + 784 + 28]


@settings(max_examples=25, deadline=None)
@given(
    images=hnp.arrays(np.uint8, st.tuples(st.integers(1, 4), st.just(28), st.just(28))),
    packed=st.booleans(),
)
def test_every_picture_that_is_written_is_read_back(
    make_idx: MakeIdx, images: np.ndarray, packed: bool
) -> None:
    content = make_idx(images)
    read = idx.parse_images(pack(content) if packed else content, where="f")
    np.testing.assert_array_equal(read, images)


def head(magic: int, *shape: int) -> bytes:
    return struct.pack(f">I{len(shape)}I", magic, *shape)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\0", "expected an IDX file of images .* received 00"),
        (LABELS, "received 00 00 08 01.*This is a file of labels: .* swapped"),
        (head(0x0D03, 3, 28, 28) + IMAGES[16:], "received 00 00 0d 03"),  # floats
        (head(0x0802, 3, 784) + IMAGES[16:], "received 00 00 08 02"),
        (head(0x08FF, *[1] * 255), "received 00 00 08 ff"),
        (IMAGES[:10], "header of 16 bytes, received 10"),
        (IMAGES[:-1], "expected 2,368 bytes, .* 3 images need, received 2,367"),
        (IMAGES[:16], "expected 2,368 bytes.* received 16"),
        (IMAGES + b"\0", "expected 2,368 bytes.* received 2,369"),
        (head(2051, 4, 28, 28) + IMAGES[16:], "4 images need"),
        (head(2051, 0, 28, 28), "says 0"),
        (head(2051, 2**31, 28, 28), "says 2,147,483,648"),
        (head(2051, 2**32 - 1, 2**32 - 1, 2**32 - 1), "says 4,294,967,295"),
        (head(2051, 1_000_000, 28, 28), "expected 784,000,016 bytes"),
        (head(2051, 3, 8, 8) + bytes(3 * 64), "received 8x8.*uci-digits"),
        (head(2051, 3, 28, 0), "received 28x0"),
        (b"label,pixel0\n1,2\n" * 9, "another kind of file"),
        (pack(IMAGES)[:-3], "cut short"),
        (pack(IMAGES[:-1]), "expected 2,368 bytes"),
        (pack(IMAGES + b"\0"), "goes on"),
        (pack(IMAGES) + b"trailing", "8 more bytes"),
        (pack(head(2051, 2**31, 28, 28)), "says 2,147,483,648"),
        (pack(head(2051, 900_000, 28, 28)), "expected 705,600,016 bytes.*received [0-9]+ packed"),
        (pack(b""), "received nothing"),
    ],
    ids=only_words,
)
def test_images_that_are_not_what_the_header_says_are_refused(content: bytes, says: str) -> None:
    with pytest.raises(DataError, match=f"^file: .*{says}"):
        idx.parse_images(content, where="file")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (IMAGES, "This is a file of images"),
        (LABELS[:-1], "expected 11 bytes"),
        (head(2049, 3) + bytes([1, 10, 2]), "byte 9: expected a label 0..9, received 10"),
        (head(2049, 3) + bytes([255, 10, 2]), r"byte 8: .* received 255 \(2 such"),
        (head(2049, 0), "says 0"),
    ],
    ids=only_words,
)
def test_labels_that_are_no_digits_are_refused_at_their_byte(content: bytes, says: str) -> None:
    with pytest.raises(DataError, match=f"^file: .*{says}"):
        idx.parse_labels(content, where="file")


@settings(max_examples=150, deadline=None)
@given(
    content=st.binary(max_size=64), packed=st.booleans(), lead=st.sampled_from([b"", IMAGES[:4]])
)
def test_no_bytes_at_all_raise_anything_but_a_data_error(
    content: bytes, packed: bool, lead: bytes
) -> None:
    whole = pack(lead + content) if packed else lead + content
    with pytest.raises(DataError):
        idx.parse_images(whole, where="f")


def test_a_header_alone_allocates_next_to_nothing(peak_memory) -> None:
    with peak_memory() as peak:
        for content in (head(2051, 1_000_000, 28, 28), head(2051, 2**32 - 1, 28, 28)):
            for whole in (content, pack(content)):
                with pytest.raises(DataError):
                    idx.parse_images(whole, where="f")
    assert peak[0] < 2**20  # the headers promise 784 MB and 3.4 TB


@pytest.mark.parametrize("joint", ["-", "."])
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_folder_is_read_under_every_name_that_is_in_use(
    tmp_path: Path, make_idx: MakeIdx, some: Callable[[int], Digits], joint: str, ending: str
) -> None:
    digits = some(30)
    parts = {"train": slice(0, 20), "t10k": slice(20, 30)}
    for part, rows in parts.items():
        for name, values in (("images", digits.images[rows]), ("labels", digits.labels[rows])):
            content = make_idx(values)
            path = tmp_path / f"{part}-{name}{joint}idx{values.ndim}-ubyte{ending}"
            path.write_bytes(pack(content) if ending else content)
    train, test = data.load(f"idx:{tmp_path}")
    assert train.hash == digits.take(np.arange(20)).hash
    assert test is not None
    assert test.hash == digits.take(np.arange(20, 30)).hash
    assert data.read_images(f"idx:{tmp_path}").hash == test.hash
    assert data.read_images(str(tmp_path)).hash == test.hash


def test_one_file_of_images_has_no_labels(tmp_path: Path, make_idx: MakeIdx, some) -> None:
    path = tmp_path / "some-idx3-ubyte"
    path.write_bytes(make_idx(some(5).images))
    for spec in (str(path), f"idx:{path}"):
        read = data.read_images(spec)
        assert read.labels is None
        np.testing.assert_array_equal(read.images, some(5).images)


def write_train(folder: Path, make_idx: MakeIdx, *, images: int, labels: int) -> None:
    (folder / "train-images-idx3-ubyte").write_bytes(make_idx(np.zeros((images, 28, 28))))
    (folder / "train-labels-idx1-ubyte").write_bytes(make_idx(np.zeros(labels)))


def test_the_test_pair_may_be_missing(tmp_path: Path, make_idx: MakeIdx) -> None:
    write_train(tmp_path, make_idx, images=3, labels=3)
    assert idx.read_folder(tmp_path).test is None


def test_half_a_pair_and_unequal_counts_are_refused(tmp_path: Path, make_idx: MakeIdx) -> None:
    write_train(tmp_path, make_idx, images=3, labels=2)
    with pytest.raises(DataError, match="train-images-idx3-ubyte: .*2 labels for 3 images"):
        idx.read_folder(tmp_path)
    write_train(tmp_path, make_idx, images=3, labels=3)
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(LABELS)
    with pytest.raises(DataError, match="part 't10k', received no file of images"):
        idx.read_folder(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match="part 'train', received no file of labels"):
        idx.read_folder(tmp_path)


def test_a_folder_without_the_files_is_told_which_are_due(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="train-images-idx3-ubyte.*received an empty folder"):
        data.load(f"idx:{tmp_path}")
    (tmp_path / "cat.jpg").touch()
    with pytest.raises(DataError, match=r"received cat\.jpg"):
        data.load(f"idx:{tmp_path}")
    with pytest.raises(DataError, match="expected a folder, received a file"):
        data.load(f"idx:{tmp_path / 'cat.jpg'}")
