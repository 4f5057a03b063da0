"""What a person points at -> rows of a data set, or picture files, one at a time and nothing held twice.

Rows are 28x28 already and are taken as they are. Of a picture only the bytes are read here: what they show,
and its 28x28, is the work of `pictures`. What a folder, a pattern or standard input holds is told by name and
content; what an ending means is told by `tenfold.data`.
"""

import glob
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from tenfold.data.kaggle import UTF8_BOM, stream_csv
from tenfold.data.raw import GZIP_MAGIC, names_in, opened, read_file, user_path
from tenfold.digits import Images
from tenfold.errors import DataError

STANDARD_INPUT = "-"
# What the systems of these names put into a folder that shows pictures.
_OF_THE_SYSTEM = ("thumbs.db", "desktop.ini")
# The first bytes of each kind of data set. No picture begins so: of text files, PBM to PPM begin with a P.
_STARTS = {
    "idx": (GZIP_MAGIC, b"\0\0\x08"),
    "npz": (b"PK\x03\x04",),
    "kaggle": (UTF8_BOM, b"label", b"pixel", *(str(digit).encode() for digit in range(10))),
}


class Rows(NamedTuple):
    """Pictures of a data set, uint8 (k, 28, 28), a part at a time; reading on may raise a DataError."""

    source: str
    parts: Iterator[Images]


class PictureFile(NamedTuple):
    """One picture file; `read` gives its bytes, of which it allows so many, or a DataError."""

    source: str
    read: Callable[[int], bytes]


def picture_file(path: Path) -> PictureFile:
    """The picture at a path."""
    return PictureFile(str(path), lambda at_most: read_file(path, at_most=at_most))


def pictures_under(folder: Path) -> Iterator[PictureFile]:
    """Every file in a folder and its sub-folders, by name; a DataError where there is none.

    A sub-folder that cannot be gone through stands there as a file that cannot be read.

    Left out is what the system keeps there for itself: names that begin with a dot, Thumbs.db, desktop.ini.
    """
    count = 0
    for count, found in enumerate(_walk(folder), 1):  # noqa: B007
        yield found
    if not count:
        raise DataError(f"{folder}: expected pictures, received a folder without any file.")


def _walk(root: Path) -> Iterator[PictureFile]:
    waiting = _inside(root)
    while waiting:
        path = waiting.pop()
        if path.name.startswith(".") or path.name.lower() in _OF_THE_SYSTEM:
            continue
        # Those of Path raise an error where a folder may be listed but not entered.
        is_folder = os.path.isdir(path)
        if os.path.islink(path) and (is_folder or not _is_inside(path, root)):
            yield PictureFile(str(path), partial(_refuse_link, path, root))
        elif not is_folder:
            yield picture_file(path)
        else:
            try:
                waiting += _inside(path)
            except DataError as error:
                yield PictureFile(str(path), partial(_refuse, error))


def _inside(folder: Path) -> list[Path]:
    """What is in a folder, the first by name at the end; DataError where it cannot be listed."""
    return [folder / name for name in reversed(names_in(folder))]


def _refuse(error: DataError, _: int) -> bytes:
    raise error


def _is_inside(path: Path, root: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def _refuse_link(path: Path, root: Path, _: int) -> bytes:
    raise DataError(
        f"{path}: expected a picture inside {root}, received a link to a folder or out of this one. "
        "Name what it leads to as an input of its own."
    )


def is_pattern(text: str) -> bool:
    """Whether a text with no file of its name is a pattern, such as *.png."""
    return glob.has_magic(text) and not os.path.lexists(user_path(text))


def matches(pattern: str) -> list[str]:
    """The paths a pattern stands for, sorted, `**` for any depth; DataError where there is none."""
    found = sorted(glob.glob(str(user_path(pattern)), recursive=True))
    if not found:
        raise DataError(f"{pattern}: expected files of such names, found none. Check the path.")
    return found


def kind_of_content(path: Path) -> str | None:
    """The kind of data set in a file, told by its first bytes; None for a picture or anything else."""
    with opened(path) as file:
        return _kind_of_start(file.peek(16))


def _kind_of_start(start: bytes) -> str | None:
    kinds = (kind for kind, starts in _STARTS.items() if start.startswith(starts))
    return next(kinds, None)


def from_standard_input() -> Rows | PictureFile:
    """A picture, or the rows of a CSV file; the first bytes say which."""
    if sys.stdin is None:
        raise DataError("standard input: expected a picture or CSV rows, received nothing.")
    # Buffered once more, so that the first bytes can be looked at.
    file = BufferedReader(cast(RawIOBase, sys.stdin.buffer))
    if _kind_of_start(file.peek(16)) == "kaggle":
        return Rows(STANDARD_INPUT, csv_parts(file, where="standard input"))
    return PictureFile(STANDARD_INPUT, partial(_read_all, file))


def csv_parts(file: BinaryIO, *, where: str) -> Iterator[Images]:
    """The pictures in a CSV file of Kaggle's, some at a time."""
    return (part.images for part in stream_csv(file, where=where))


def _read_all(file: BinaryIO, at_most: int) -> bytes:
    content = file.read(at_most + 1)
    if not 1 <= len(content) <= at_most:
        raise DataError(
            f"standard input: expected a picture of 1 to {at_most:,} bytes, or CSV rows, received "
            f"{'nothing' if not content else 'more'}."
        )
    return content
