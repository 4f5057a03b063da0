"""A path -> its bytes, whole or not at all; a gzip stream -> its content, no more than was promised.

Knows nothing about pictures. Every parser of this room takes bytes, and these functions are how
it gets them: nothing is read that is not an ordinary file, and nothing unpacks without a limit.
"""

import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from tenfold.errors import DataError

# Room for MAX_IMAGES pictures as IDX (0.73 GiB), or for 550,000 rows of Kaggle's CSV.
MAX_FILE_BYTES = 2**30
# EMNIST, the largest relative of MNIST, has 814,255 pictures.
MAX_IMAGES = 1_000_000
# What is read at a time where all is not held at once: 0.8 MB.
PART_IMAGES = 1024

GZIP_MAGIC = b"\x1f\x8b"

# The official files unpack to 5 times their size, the barest of drawings to 30 times; deflate
# itself reaches 1,032 times, which only zeros do. Below 1 MiB nothing can do harm.
MAX_UNPACKING = 100
FREE_UNPACKING = 2**20

CHECK = "Check the path."


def user_path(text: str) -> Path:
    """A path as a person writes it; unlike Path.expanduser, an unknown ~name is no error but a name."""
    return Path(os.path.expanduser(text))


def read_file(path: Path, *, at_most: int = MAX_FILE_BYTES) -> bytes:
    """The bytes of an ordinary file, or DataError.

    Raises:
        DataError: nothing there, a folder or a device, not readable, empty, or over `at_most` bytes.
    """
    with opened(path, at_most=at_most) as file:
        return file.read(os.fstat(file.fileno()).st_size)


@contextmanager
def opened(path: Path, *, at_most: int | None = None) -> Iterator[BufferedReader]:
    """An ordinary file that is not empty, to be read from its start; DataError as `read_file` raises it."""
    try:
        status = path.stat()
        _check_kind(path, status)
        if not 0 < status.st_size <= (at_most or status.st_size):
            raise DataError(
                f"{path}: expected a file of 1 to {at_most or MAX_FILE_BYTES:,} bytes, received {status.st_size:,}. "
                "Check that it was copied or downloaded to its end."
            )
        with open(path, "rb") as file:
            yield file
    except FileNotFoundError as error:
        # A path has lost one of the two strokes of an address.
        what = "Addresses are not fetched: save the file first." if ":/" in str(path) else CHECK
        raise DataError(f"{path}: no such file. {what}") from error
    except (OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{path}: cannot be read ({getattr(error, 'strerror', None) or error}). "
            "Check its permissions."
        ) from error


def names_in(folder: Path) -> list[str]:
    """The names in a folder, sorted; or DataError where it is missing, not a folder, or closed."""
    try:
        return sorted(os.listdir(folder))
    except FileNotFoundError as error:
        raise DataError(f"{folder}: no such folder. Check the path.") from error
    except NotADirectoryError as error:
        raise DataError(
            f"{folder}: expected a folder, received a file. Name the folder it is in."
        ) from error
    except (OSError, ValueError) as error:
        raise DataError(
            f"{folder}: cannot be read ({getattr(error, 'strerror', None) or error}). "
            "Check its permissions."
        ) from error


def most_unpacked(packed_bytes: int) -> int:
    """To how many bytes a packed file of this size may honestly unpack."""
    return max(FREE_UNPACKING, MAX_UNPACKING * packed_bytes)


def is_gzip(content: bytes) -> bool:
    """Whether bytes begin as a gzip stream does; a name ending in .gz proves nothing."""
    return content.startswith(GZIP_MAGIC)


def gunzip(packed: bytes, *, at_most: int, where: str) -> bytes:
    """The content of one whole gzip stream, its checksum verified.

    Raises:
        DataError: damaged, cut short, followed by other bytes, or over `at_most` bytes unpacked.
    """
    limit = min(at_most, most_unpacked(len(packed)))
    inflater = zlib.decompressobj(wbits=31)
    content = _inflate(inflater, packed, limit + 1, where)
    if len(content) > limit:
        raise DataError(
            f"{where}: expected a gzip file that unpacks to at most {limit:,} bytes, received one "
            "that goes on. It is not what its header says: download it again."
        )
    if not inflater.eof:
        raise DataError(
            f"{where}: expected a whole gzip file, received one that is cut short after "
            f"{len(content):,} unpacked bytes. Download or copy it again."
        )
    if inflater.unused_data:
        raise DataError(
            f"{where}: expected nothing after the gzip stream, received "
            f"{len(inflater.unused_data):,} more bytes. Download or copy it again."
        )
    return content


def gunzip_start(packed: bytes, count: int, *, where: str) -> bytes:
    """The first `count` bytes of a gzip stream, or fewer where it has no more."""
    return _inflate(zlib.decompressobj(wbits=31), packed, count, where)


def _inflate(inflater: "zlib._Decompress", packed: bytes, at_most: int, where: str) -> bytes:
    try:
        return inflater.decompress(packed, at_most)
    except zlib.error as error:
        raise DataError(
            f"{where}: expected a sound gzip file, received a damaged one ({error}). "
            "Download or copy it again."
        ) from error


def _check_kind(path: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise DataError(f"{path}: expected a file, received a folder. Name a file inside it.")
    if not stat.S_ISREG(status.st_mode):
        raise DataError(
            f"{path}: expected an ordinary file, received a device, pipe or socket. "
            "Copy what comes out of it into a file."
        )
