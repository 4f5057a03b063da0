"""Kaggle's Digit Recognizer: train.csv and test.csv -> Digits; predicted labels -> submission.csv.

Knows nothing about other tables: the columns are `label` (train.csv only) and pixel0..pixel783,
pixel i*28+j being row i, column j. Rows of 784 pixels may stand there without a header. A submission
is `ImageId,Label` with ids from 1.
Source: the data page of the competition, www.kaggle.com/c/digit-recognizer/data.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import ArrayLike

from tenfold.data.raw import read_file
from tenfold.data.rows import stream_rows
from tenfold.digits import CLASSES, SIDE, Digits, Labels, check_labels, joined
from tenfold.errors import DataError
from tenfold.files import write_bytes

LABEL = "label"
PIXELS = tuple(f"pixel{i}" for i in range(SIDE * SIDE))
# The same, as tables of MNIST that others made name them.
PLACES = tuple(f"{row}x{column}" for row in range(1, SIDE + 1) for column in range(1, SIDE + 1))
# The right header is 7 KB long; what has no line end in ten times that is no table.
MAX_HEADER_BYTES = 2**16
UTF8_BOM = b"\xef\xbb\xbf"
OTHER_FORMATS = {
    b"PK\x03\x04": "a zip file: unpack it first",
    b"\x1f\x8b": "a gzip file: unpack it first",
    b"\xff\xfe": "UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "UTF-16 text: save it as UTF-8",
}

SUBMISSION_HEADER = "ImageId,Label"
WHOLE_NUMBER = re.compile("[0-9]{1,3}")
DIGITS = frozenset("0123456789")
MAX_SUBMISSION_BYTES = 2**26


def parse_csv(content: bytes, *, where: str) -> Digits:
    """The bytes of train.csv (with labels) or test.csv (without) -> Digits, or DataError."""
    return joined(list(stream_csv(io.BytesIO(content), where=where)))


def stream_csv(file: BinaryIO, *, where: str) -> Iterator[Digits]:
    """The pictures of `parse_csv`, some 150 at a time; DataError at the first row that is wrong."""
    first = file.readline(MAX_HEADER_BYTES)
    columns, is_row = _parse_header(first.removeprefix(UTF8_BOM).removesuffix(b"\n"), where)
    # Plain rows have no header: what was read for one is the first row.
    line, head = 1 + first.count(b"\n"), b""
    if is_row:
        line, head = 1, first.removeprefix(UTF8_BOM)
    parts = stream_rows(file, columns=columns, where=where, line=line, head=head)
    for rows in parts:
        if columns[:1] != (LABEL,):
            yield Digits(rows.reshape(-1, SIDE, SIDE), None, where)
        else:
            labels = rows[:, 0].copy()
            _check_labels(labels, line=line, where=where)
            pixels = np.ascontiguousarray(rows[:, 1:]).reshape(-1, SIDE, SIDE)
            yield Digits(pixels, labels, where)
        line += len(rows)


def _check_labels(labels: Labels, *, line: int, where: str) -> None:
    wrong = np.flatnonzero(labels >= CLASSES)
    if len(wrong):
        raise DataError(
            f"{where}:{line + int(wrong[0])}: column {LABEL}: expected 0..9, received "
            f"{labels[wrong[0]]} ({len(wrong):,} such labels). Mend them, or leave these rows out."
        )


def read_csv(path: Path) -> Digits:
    """train.csv or test.csv, or DataError with FILE:LINE."""
    return parse_csv(read_file(path), where=str(path))


def read_train_csv(path: Path) -> Digits:
    """train.csv; a DataError where it has no labels."""
    digits = read_csv(path)
    if digits.labels is None:
        raise DataError(
            f"{path}:1: expected a first column {LABEL!r}, received none, as in Kaggle's test.csv. "
            "Learn from train.csv; test.csv is for predictions."
        )
    return digits


def write_submission(path: Path, predicted_labels: ArrayLike) -> None:
    """predicted_labels (n,) of 0..9, in the order of test.csv -> the file Kaggle takes, checked.

    Raises:
        DataError: the labels are not that, or what was written does not read back as they are.
        OSError: the place may not be written; what stood at `path` is untouched.
    """
    labels = check_labels(predicted_labels)
    lines = [SUBMISSION_HEADER, *(f"{i},{label}" for i, label in enumerate(labels, 1))]
    write_bytes(path, ("\n".join(lines) + "\n").encode())
    check_submission(path, rows=len(labels))


def check_submission(path: Path, *, rows: int) -> None:
    """DataError with FILE:LINE unless `path` is a submission of `rows` rows, ids 1..rows, digits 0..9."""
    text = read_file(path, at_most=MAX_SUBMISSION_BYTES).decode("ascii", "backslashreplace")
    lines = text.removesuffix("\n").split("\n")
    if lines[0] != SUBMISSION_HEADER:
        raise DataError(
            f"{path}:1: expected {SUBMISSION_HEADER!r}, received {lines[0][:40]!r}. "
            "Write the file with `tenfold submit`."
        )
    for image_id, line in enumerate(lines[1:], 1):
        identity, _, label = line.partition(",")
        if identity != str(image_id) or label not in DIGITS:
            raise DataError(
                f"{path}:{image_id + 1}: expected '{image_id},' and a digit 0..9, received "
                f"{line[:40]!r}. Lines end in LF; ids count from 1 without gaps."
            )
    if len(lines) - 1 != rows:
        raise DataError(
            f"{path}: expected {rows:,} rows under the header, received {len(lines) - 1:,}. "
            "Predict every row of test.csv, in its order."
        )


def _parse_header(header: bytes, where: str) -> tuple[tuple[str, ...], bool]:
    """The columns, (label, pixel0..pixel783) or (pixel0..pixel783), and whether this is a row of them; or DataError."""
    for magic, what in OTHER_FORMATS.items():
        if header.startswith(magic):
            raise DataError(f"{where}: expected CSV, received {what}.")
    if b"\0" in header or not header.isascii():
        raise DataError(
            f"{where}:1: expected the header of a CSV file, received bytes that are no ASCII text. "
            "Name Kaggle's train.csv or test.csv."
        )
    columns = tuple(header.decode("ascii").removesuffix("\r").split(","))
    known = {len(PIXELS): PIXELS, 1 + len(PIXELS): (LABEL, *PIXELS)}.get(len(columns))
    if known and all(WHOLE_NUMBER.fullmatch(name) for name in columns):
        return known, True
    names = tuple(name.strip().lower() for name in columns)
    if not known or names not in (known, (*known[: -len(PIXELS)], *PLACES)):
        raise DataError(
            f"{where}:1: expected the header label,pixel0,...,pixel783 (or without label), "
            f"received {len(columns)} columns, {_shorten(columns)}. {_hint(columns)}"
        )
    return known, False


def _shorten(columns: tuple[str, ...]) -> str:
    names = columns if len(columns) <= 3 else (*columns[:2], "...", columns[-1])
    return ",".join(name[:20] for name in names)


def _hint(columns: tuple[str, ...]) -> str:
    if any('"' in name for name in columns):
        return "Save the file without quotes around its cells."
    if all(name.strip().replace(".", "", 1).isdigit() for name in columns):
        return "Rows of numbers alone have 784 pixels each, or the label and 784 pixels."
    if ";" in columns[0]:
        return "Save the file with commas between its cells, not semicolons."
    if "pixel784" in columns:
        return (
            "OpenML counts its columns from pixel1; rename them from pixel0, with the label first."
        )
    return "Keep Kaggle's columns in Kaggle's order."
