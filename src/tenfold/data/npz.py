"""A NumPy archive -> Digits, read without numpy.load.

Knows two layouts: x_train, y_train and perhaps x_test, y_test (Keras' mnist.npz), or images and
perhaps labels. numpy.load believes an array's header and allocates what it says, and can run
pickles; here the zip directory and every header are held against the file's true size before an
array is made, and only plain numbers are read.
Source of the layout of .npy: numpy.org, NEP 1.
"""

import io
import math
import os
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.data.raw import MAX_FILE_BYTES, PART_IMAGES, most_unpacked, opened, read_file
from tenfold.digits import SIDE, Digits, Images, Parts, check_images, check_labels
from tenfold.errors import DataError

# What numpy writes for one array of numbers with at most five dimensions, and no other literal.
HEADER = re.compile(
    rb"\{'descr': '([<>|](?:b1|[iu][1248]|f[248]))', 'fortran_order': (True|False), "
    rb"'shape': \(((?:[0-9]{1,12}, ?){0,4}(?:[0-9]{1,12})?)\), \} *\n?"
)
MAX_HEADER_BYTES = 4096
VERSION_TO_LENGTH_BYTES = {1: 2, 2: 4}

# The end record of a zip file: 22 bytes and a comment of at most 65,535.
END_MAGIC, ZIP64_MAGIC = b"PK\x05\x06", b"PK\x06\x07"
END_BYTES, MAX_COMMENT_BYTES = 22, 2**16 - 1
# Some 1,000 arrays; numpy's own archives of digits have four.
MAX_DIRECTORY_BYTES = 2**16


class Header(NamedTuple):
    """What a .npy member says it holds."""

    dtype: np.dtype[np.generic]
    fortran_order: bool
    shape: tuple[int, ...]
    size: int


def parse_npz(content: bytes, *, where: str) -> Parts:
    """The bytes of an archive in one of the two layouts -> Parts, or DataError."""
    _check_directory(content, where)
    with _sound(where), zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = _members(archive, where)
        if "x_train" not in members:
            names = ["images", *(["labels"] if "labels" in members else [])]
            return Parts(_digits(archive, members, names, where), None)
        train = _digits(archive, members, ["x_train", "y_train"], where)
        if not _has_test_part(members):
            return Parts(train, None)
        return Parts(train, _digits(archive, members, ["x_test", "y_test"], where))


def stream_images(path: Path) -> Iterator[Images]:
    """The pictures of an archive's test part, or of its only part, some at a time, in constant memory."""
    where = str(path)
    with opened(path) as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - END_BYTES - MAX_COMMENT_BYTES))
        _check_directory(file.read(), where)
        with _sound(where), zipfile.ZipFile(file) as archive:
            members = _members(archive, where)
            name = "images"
            if "x_train" in members:
                name = "x_test" if _has_test_part(members) else "x_train"
            _check_names(members, [name], where)
            header = _checked_header(archive, members[name], f"{where}: {name}")
            if header.fortran_order or header.shape[1:] != (SIDE, SIDE):
                # Not one picture after the other, or no pictures, which is said there.
                yield _digits(archive, members, [name], where).images
                return
            with archive.open(members[name]) as member:
                member.read(header.size)
                for start in range(0, header.shape[0], PART_IMAGES):
                    shape = (min(PART_IMAGES, header.shape[0] - start), SIDE, SIDE)
                    raw = member.read(math.prod(shape) * header.dtype.itemsize)
                    try:
                        yield check_images(np.frombuffer(raw, header.dtype).reshape(shape))
                    except DataError as error:
                        raise DataError(f"{where}: {error}") from error


def read_npz(path: Path) -> Parts:
    """An archive in one of the two layouts, or DataError."""
    return parse_npz(read_file(path), where=str(path))


@contextmanager
def _sound(where: str) -> Iterator[None]:
    """Within, whatever a damaged archive provokes is a DataError."""
    try:
        yield
    except DataError:
        raise
    # zipfile raises whatever the bytes provoke: BadZipFile, ValueError, struct.error, zlib.error, ...
    except Exception as error:
        raise DataError(
            f"{where}: expected a sound .npz archive, received a damaged one ({error}). "
            "Download or copy it again."
        ) from error


def _has_test_part(members: dict[str, zipfile.ZipInfo]) -> bool:
    return "x_test" in members or "y_test" in members


def _check_directory(content: bytes, where: str) -> None:
    """The zip module reads a directory of any length into objects; ours is short."""
    tail_start = max(0, len(content) - END_BYTES - MAX_COMMENT_BYTES)
    end = content.rfind(END_MAGIC, tail_start)
    if end < 0 or end + END_BYTES > len(content):
        raise DataError(
            f"{where}: expected a .npz archive, received something else, or a part of one. "
            "Write it with numpy.savez, or download it again."
        )
    directory_bytes = int.from_bytes(content[end + 12 : end + 16], "little")
    if directory_bytes > MAX_DIRECTORY_BYTES or ZIP64_MAGIC in content[max(0, end - 20) : end]:
        raise DataError(
            f"{where}: expected an archive of a few arrays, received one with a directory of "
            f"{directory_bytes:,} bytes. Write it with numpy.savez."
        )


def _members(archive: zipfile.ZipFile, where: str) -> dict[str, zipfile.ZipInfo]:
    """Array name -> member; DataError for two of one name, of which each reader takes another."""
    members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    if len(members) < len(archive.infolist()):
        raise DataError(f"{where}: expected every array once, received two of one name.")
    return members


def _digits(
    archive: zipfile.ZipFile,
    members: dict[str, zipfile.ZipInfo],
    names: list[str],
    where: str,
) -> Digits:
    """The arrays called names[0] (pictures) and names[1] (labels, if named) as Digits."""
    _check_names(members, names, where)
    arrays = [_read_array(archive, members[name], f"{where}: {name}") for name in names]
    try:
        images = check_images(arrays[0])
        labels = check_labels(arrays[1]) if len(arrays) > 1 else None
    except DataError as error:
        raise DataError(f"{where}: {', '.join(names)}: {error}") from error
    return Digits(images, labels, f"{where}: {names[0]}")


def _check_names(members: dict[str, zipfile.ZipInfo], names: list[str], where: str) -> None:
    missing = [name for name in names if name not in members]
    if missing:
        raise DataError(
            f"{where}: expected the arrays x_train, y_train (and x_test, y_test) or images (and "
            f"labels), received no {missing[0]!r} among: {', '.join(sorted(members)[:8]) or 'none'}. "
            "Write it with numpy.savez(path, images=..., labels=...)."
        )


def _read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> NDArray[np.generic]:
    """One member as an array, read only once its header, its size and the directory agree."""
    header = _checked_header(archive, info, where)
    flat = np.frombuffer(archive.read(info), header.dtype, offset=header.size)
    return flat.reshape(header.shape, order="F" if header.fortran_order else "C")


def _checked_header(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> Header:
    """What a member says it holds, once its size and the directory agree."""
    if info.flag_bits & 1:
        raise DataError(f"{where}: expected an open archive, received a password-protected one.")
    with archive.open(info) as file:
        header = _parse_header(file.read(MAX_HEADER_BYTES), where)
    expected = header.size + math.prod(header.shape) * header.dtype.itemsize
    if info.file_size != expected:
        raise DataError(
            f"{where}: expected {expected:,} bytes, as shape {header.shape} of {header.dtype} "
            f"needs, received {info.file_size:,}. The archive is damaged: download it again."
        )
    if expected == header.size or expected > min(MAX_FILE_BYTES, most_unpacked(info.compress_size)):
        raise DataError(
            f"{where}: expected an array that fits the file, received shape {header.shape} packed "
            f"in {info.compress_size:,} bytes. Write it with numpy.savez, which does not pack."
        )
    return header


def _parse_header(start: bytes, where: str) -> Header:
    """The first bytes of a .npy member -> what it says it holds, or DataError."""
    length_bytes = VERSION_TO_LENGTH_BYTES.get(start[6] if len(start) > 6 else 0)
    if not start.startswith(b"\x93NUMPY") or length_bytes is None:
        raise DataError(f"{where}: expected a NumPy array (.npy), received something else.")
    text_start = 8 + length_bytes
    text_bytes = int.from_bytes(start[8:text_start], "little")
    match = HEADER.fullmatch(start[text_start : text_start + text_bytes])
    if match is None or text_start + text_bytes > len(start):
        raise DataError(
            f"{where}: expected an array of plain numbers (uint8), received a pickled object, text, "
            "a record, or a header over 4 KB. Save it as numbers: `array.astype('uint8')`."
        )
    descr, fortran_order, shape = match.groups()
    return Header(
        np.dtype(descr.decode("ascii")),
        fortran_order == b"True",
        tuple(int(length) for length in re.findall(rb"[0-9]+", shape)),
        text_start + text_bytes,
    )
