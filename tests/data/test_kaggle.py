"""Kaggle's tables, read and written: right ones as they are, wrong ones by file and line."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tenfold import data
from tenfold.data import kaggle, rows
from tenfold.digits import Digits
from tenfold.errors import DataError

PIXELS = [f"pixel{i}" for i in range(784)]
HEADER = ["label", *PIXELS]


def write_csv(table: list[list[object]], *, ends: str = "\n") -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator=ends).writerows(table)
    return text.getvalue().encode()


def with_labels(digits: Digits) -> list[list[object]]:
    rows_of_pixels = digits.images.reshape(-1, 784).tolist()
    return [[label, *row] for label, row in zip(digits.known_labels, rows_of_pixels, strict=True)]


def test_train_csv_has_labels_and_is_all_training_part(tmp_path: Path, some) -> None:
    path = tmp_path / "train.csv"
    path.write_bytes(write_csv([HEADER, *with_labels(some(40))]))
    parts = data.load(f"kaggle:{path}")
    assert parts.train.hash == some(40).hash
    assert parts.test is None
    assert data.read_images(str(path)).hash == some(40).hash


def test_test_csv_has_none_and_is_not_for_learning(tmp_path: Path, some) -> None:
    path = tmp_path / "test.csv"
    path.write_bytes(write_csv([PIXELS, *some(40).images.reshape(-1, 784).tolist()]))
    read = data.read_images(f"kaggle:{path}")
    assert read.labels is None
    np.testing.assert_array_equal(read.images, some(40).images)
    with pytest.raises(DataError, match=r"test\.csv:1: expected a first column 'label'"):
        data.load(f"kaggle:{path}")


def test_pixel_i_times_28_plus_j_is_row_i_column_j() -> None:
    row = [3] + [0] * 784
    row[1 + 5 * 28 + 7] = 200
    images = kaggle.parse_csv(write_csv([HEADER, row]), where="f").images
    assert np.argwhere(images == 200).tolist() == [[0, 5, 7]]


@settings(max_examples=30, deadline=None)
@given(
    table=hnp.arrays(np.uint8, st.tuples(st.integers(1, 60), st.integers(1, 40))),
    ends=st.sampled_from(["\n", "\r\n"]),
    tail=st.sampled_from(["", "\n", "\r\n\n"]),
    block_bytes=st.integers(160, 1000),
)
def test_every_table_that_is_written_is_read_back(
    table: np.ndarray, ends: str, tail: str, block_bytes: int
) -> None:
    text = write_csv(table.tolist(), ends=ends).rstrip(b"\r\n") + tail.encode()
    names = [str(i) for i in range(table.shape[1])]
    with pytest.MonkeyPatch.context() as patch:
        # The longest line, 40 cells of 4 bytes, just fits: every way of cutting lines into blocks.
        patch.setattr(rows, "BLOCK_BYTES", block_bytes)
        read = rows.parse_rows(text, start=0, columns=names, where="f")
    np.testing.assert_array_equal(read, table)


@settings(max_examples=300, deadline=None)
@given(
    cells=st.lists(st.text('0123456789,.-\n\r "', max_size=5), min_size=1, max_size=12),
)
def test_the_fast_path_takes_what_a_plain_reading_takes_and_nothing_else(cells: list[str]) -> None:
    text = ",".join(cells).replace(",\n,", "\n")
    lines = text.rstrip("\r\n").split("\n")
    if "\r\n" in text[: text.find("\n") + 1]:
        lines = text.replace("\r\n", "\n").rstrip("\r\n").split("\n")

    def is_right(line: str) -> bool:
        values = line.split(",")
        return len(values) == 3 and all(
            1 <= len(v) <= 3 and v.isascii() and v.isdigit() and int(v) < 256 for v in values
        )

    if all(is_right(line) for line in lines):
        expected = [[int(value) for value in line.split(",")] for line in lines]
        read = rows.parse_rows(text.encode(), start=0, columns="abc", where="f")
        assert read.tolist() == expected
    else:
        with pytest.raises(DataError, match=r"^f:[0-9]+: "):
            rows.parse_rows(text.encode(), start=0, columns="abc", where="f")


@pytest.mark.parametrize("wrong", [";", ".", ":", "/", " ", "\t", "\n", "\r", "\0", "é"])
def test_one_wrong_character_anywhere_is_found(wrong: str) -> None:
    right = "1,2\n3,4\n5,6\n"
    for place in range(len(right) - 1):
        if right[place] == wrong:
            continue
        text = right[:place] + wrong + right[place + 1 :]
        with pytest.raises(DataError, match="^f:[123]: "):
            rows.parse_rows(text.encode(), start=0, columns="ab", where="f")


def test_empty_lines_after_a_full_block_are_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BLOCK_BYTES", 8)
    read = rows.parse_rows(b"1,2\n3,4\n\n\n", start=0, columns="ab", where="f")
    assert read.tolist() == [[1, 2], [3, 4]]


def test_only_line_ends_stand_between_rows() -> None:
    with pytest.raises(DataError, match="^f:1: expected 2 numbers .*received 4"):
        rows.parse_rows(b"1,2,3,4\n", start=0, columns="ab", where="f")


@pytest.mark.parametrize("change", [lambda text: b"\xef\xbb\xbf" + text, lambda text: text[:-1]])
def test_a_mark_at_the_start_and_no_line_end_at_the_end_are_no_fault(change, some) -> None:
    text = write_csv([HEADER, *with_labels(some(3))])
    assert kaggle.parse_csv(change(text), where="f").hash == some(3).hash


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("256", "column pixel9: expected a whole number 0..255, received '256'"),
        ("-1", "received '-1'"),
        ("3.7", r"received '3\.7'.*\* 255"),
        ("12.0", r"received '12\.0'"),
        ("1e400", "received '1e400'"),
        ("NaN", "received 'NaN'. Fill the gap"),
        ("", "received ''. Fill the gap"),
        (" 5", "received ' 5'"),
        ("+5", "received '\\+5'"),
        ("0x1F", "received '0x1F'"),
        ("1_0", "received '1_0'"),
        ("0255", "received '0255'"),
        ("5\0", r"received '5\\x00'"),
        ("٥", "received"),  # an Arabic five, which Python's int() would take
        ("9" * 400_000, "expected 785 numbers|received '99999999999999999999'"),
        ('"5"', "without quotes"),
        ('"5\n6"', "expected 785 numbers|without quotes"),
        ("5,6", "expected 785 numbers with commas between them, received 786"),
        ("5\n6", "expected 785 numbers with commas between them, received 11"),
        ("5\r6", r"received '5\\r6'"),
    ],
    ids=lambda value: value[:20].encode("ascii", "backslashreplace").decode(),
)
def test_a_wrong_cell_is_named_by_file_line_and_column(some, cell: str, says: str) -> None:
    lines = write_csv([HEADER, *with_labels(some(200))]).decode().split("\n")
    cells = lines[150].split(",")
    cells[10] = cell
    lines[150] = ",".join(cells)
    # Line 151 of the file, in the second block of 256 KiB of it.
    with pytest.raises(DataError, match=rf"^my\.csv:151: .*(?:{says})"):
        kaggle.parse_csv("\n".join(lines).encode(), where="my.csv")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "expected 785 numbers .*received 0"),
        ("1,2,3", "expected 785 numbers .*received 3"),
        (",".join(["0"] * 784), "expected 785 numbers .*received 784"),
        (",".join(["0"] * 786), "expected 785 numbers .*received 786"),
        (",".join(["10"] + ["0"] * 784), r"column label: expected 0\.\.9, received 10 \(1 such"),
    ],
)
def test_a_wrong_row_is_named_by_file_and_line(some, line: str, says: str) -> None:
    lines = write_csv([HEADER, *with_labels(some(20))]).decode().split("\n")
    lines[9] = line
    for ends in ("\n", "\r\n"):
        with pytest.raises(DataError, match=rf"^f:10: .*{says}"):
            kaggle.parse_csv(ends.join(lines).encode(), where="f")


def test_two_short_rows_that_make_up_a_long_one_are_found(some) -> None:
    # As many numbers as right rows have: only the place of the line end is wrong.
    text = write_csv([HEADER, *with_labels(some(2))]).decode().split("\n")
    cells = text[1].split(",")
    text[1] = ",".join(cells[:-1])
    text[2] = f"{cells[-1]},{text[2]}"
    with pytest.raises(DataError, match="^f:2: expected 785 .*received 784"):
        kaggle.parse_csv("\n".join(text).encode(), where="f")


ROW = ",".join(["1"] * 785) + "\n"


@pytest.mark.parametrize(
    "header",
    [
        ["label", *(f"{row}x{column}" for row in range(1, 29) for column in range(1, 29))],
        ["Label", *(name.upper() for name in PIXELS)],
        ["label", *(f" {name} " for name in PIXELS)],
        None,
    ],
    ids=["places", "capitals", "blanks", "none"],
)
def test_the_same_table_under_other_names_holds_the_same(header, some) -> None:
    rows = with_labels(some(3))
    kept = kaggle.parse_csv(write_csv([HEADER, *rows]), where="f")
    other = kaggle.parse_csv(write_csv([header, *rows] if header else rows), where="f")
    assert (other.images == kept.images).all()
    assert (other.known_labels == kept.known_labels).all()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "f:1: expected the header"),
        (b"\n", "f:1: expected the header"),
        (write_csv([HEADER]), "f:2: expected rows of 785 numbers, received none"),
        (write_csv([HEADER])[:-1], "f:1: expected rows of 785 numbers, received none"),
        (b"11" + ROW[1:].encode(), "column label: expected 0..9, received 11"),
        (ROW.replace(",", ".0,").encode(), "Rows of numbers alone have 784 pixels each"),
        (write_csv([[f"pixel{i}" for i in range(1, 785)] + ["class"]]), "OpenML counts .* pixel1"),
        (write_csv([["label", *(f"pixel{i}" for i in range(1, 785))]]), "OpenML counts"),
        (write_csv([[*PIXELS, "label"]]), "785 columns, pixel0,pixel1,...,label.*Kaggle's order"),
        (write_csv([HEADER[:-1]]), "received 784 columns"),
        (b'"label","pixel0"\n', "without quotes"),
        (write_csv([HEADER]).replace(b",", b";"), "with commas between its cells, not semicolons"),
        (b"x" * 10**6, "received 1 columns"),
        (b"PK\x03\x04" + bytes(100), "received a zip file: unpack it first"),
        (b"\x1f\x8b" + bytes(100), "received a gzip file: unpack it first"),
        ("label,pixel0\n".encode("utf-16"), "UTF-16 text: save it as UTF-8"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "no ASCII text"),
        ("étiquette,pixel0\n".encode("latin-1"), "no ASCII text"),
        (bytes(1000), "no ASCII text"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_table_that_is_not_kaggles_is_told_what_it_is(content: bytes, says: str) -> None:
    with pytest.raises(DataError, match="^f(:1|:2)?: ") as caught:
        kaggle.parse_csv(content, where="f")
    caught.match(says)


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=200), lead=st.sampled_from([b"", write_csv([HEADER])]))
def test_no_bytes_at_all_raise_anything_but_a_data_error(content: bytes, lead: bytes) -> None:
    with pytest.raises(DataError, match="^f"):
        kaggle.parse_csv(lead + content, where="f")


def test_a_submission_is_what_kaggle_asks_for_to_the_byte(tmp_path: Path) -> None:
    data.write_submission(tmp_path / "out" / "submission.csv", np.array([2, 0, 9]))
    written = (tmp_path / "out" / "submission.csv").read_bytes()
    assert written == b"ImageId,Label\n1,2\n2,0\n3,9\n"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["submission.csv"]
    data.check_submission(tmp_path / "out" / "submission.csv", rows=3)


def test_labels_that_are_no_digits_leave_the_old_submission_alone(tmp_path: Path) -> None:
    path = tmp_path / "submission.csv"
    path.write_text("old")
    for labels in (np.array([1, 10]), np.array([1.0, 2.0]), np.array([[1, 2]]), np.array([-1])):
        with pytest.raises(DataError):
            data.write_submission(path, labels)
    assert path.read_text() == "old"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id,label\n1,2\n2,0\n3,9\n", ":1: expected 'ImageId,Label', received 'id,label'"),
        ("2\n0\n9\n", ":1: expected 'ImageId,Label'"),
        ("ImageId,Label\n0,2\n1,0\n2,9\n", ":2: expected '1,' and a digit 0..9, received '0,2'"),
        ("ImageId,Label\n1,2\n3,0\n2,9\n", ":3: expected '2,' and"),
        ("ImageId,Label\n1,2\n2,10\n3,9\n", ":3: .*received '2,10'"),
        ("ImageId,Label\n1,2\n2,\n3,9\n", ":3: .*received '2,'"),
        ("ImageId,Label\n1,2\n2,1.0\n3,9\n", r":3: .*received '2,1\.0'"),
        ("ImageId,Label\n1,2\n2,٥\n3,9\n", ":3: "),
        ("ImageId,Label\n1,2\n2,0\n\n3,9\n", ":4: .*received ''"),
        ("ImageId,Label\n1,2\n2,0\n3,9\n\n", ":5: .*received ''"),
        ("ImageId,Label\r\n1,2\r\n2,0\r\n3,9\r\n", ":1: "),
        ("ImageId,Label\n1,2\n2,0\n", ": expected 3 rows under the header, received 2"),
        ("ImageId,Label\n1,2\n2,0\n3,9\n4,4\n", ": expected 3 rows under the header, received 4"),
    ],
)
def test_a_submission_kaggle_would_refuse_is_refused_here(
    tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "s.csv"
    path.write_bytes(text.encode())
    with pytest.raises(DataError, match=f"s.csv{says}"):
        data.check_submission(path, rows=3)


def test_what_does_not_read_back_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def a_disk_that_forgets(path: Path, content: bytes) -> None:
        path.write_bytes(content[:-4])

    monkeypatch.setattr(kaggle, "write_bytes", a_disk_that_forgets)
    with pytest.raises(DataError, match="expected 3 rows under the header, received 2"):
        data.write_submission(tmp_path / "s.csv", np.array([2, 0, 9]))


SomeDigits = Callable[[int], Digits]


def test_reading_takes_little_more_memory_than_the_file(some: SomeDigits, peak_memory) -> None:
    text = write_csv([HEADER, *with_labels(some(1000))])
    with peak_memory() as peak:
        kaggle.parse_csv(text, where="f")
    # Its pixels twice (blocks, then joined), and one block's separators as int64.
    assert peak[0] < 2.5 * len(text)
