"""IDX, the format MNIST was published in -> Digits.

Knows nothing about which data set it reads: Fashion-MNIST comes the same way. A file is either
gzipped or not; its first two bytes say which, whatever its name.
Source of the layout: Yann LeCun's MNIST page (magic 0x00 0x00 type dimensions, then one
big-endian uint32 a dimension, then the values row by row; type 0x08 is unsigned bytes).
"""

import gzip
import math
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tenfold.data.raw import (
    GZIP_MAGIC,
    MAX_IMAGES,
    PART_IMAGES,
    gunzip,
    gunzip_start,
    is_gzip,
    most_unpacked,
    names_in,
    opened,
    read_file,
)
from tenfold.digits import CLASSES, SIDE, Digits, Images, Labels, Parts
from tenfold.errors import DataError

UNSIGNED_BYTES = 0x08
KIND_OF_DIMENSIONS = {1: "labels", 3: "images"}


def parse_images(content: bytes, *, where: str) -> Images:
    """An IDX file of 28x28 pictures, gzipped or not -> uint8 (n, 28, 28), n >= 1, or DataError."""
    values, shape = _parse(content, dimensions=3, where=where)
    return values.reshape(shape)


def parse_labels(content: bytes, *, where: str) -> Labels:
    """An IDX file of labels, gzipped or not -> uint8 (n,) in 0..9, n >= 1, or DataError."""
    labels, _ = _parse(content, dimensions=1, where=where)
    wrong = np.flatnonzero(labels >= CLASSES)
    if len(wrong):
        raise DataError(
            f"{where}: byte {_header_bytes(1) + int(wrong[0])}: expected a label 0..9, received "
            f"{labels[wrong[0]]} ({len(wrong):,} such labels). Only digits can be used here."
        )
    return labels


def read_images(path: Path) -> Digits:
    """The pictures of one IDX file, without labels."""
    return Digits(parse_images(read_file(path), where=str(path)), None, str(path))


def stream_images(path: Path) -> Iterator[Images]:
    """The pictures that `read_images` gives, a part at a time, in constant memory."""
    where = str(path)
    with opened(path) as packed:
        is_packed = is_gzip(packed.peek(len(GZIP_MAGIC)))
        file = gzip.GzipFile(fileobj=packed) if is_packed else packed
        try:
            shape = _parse_header(file.read(_header_bytes(3)), dimensions=3, where=where)
            size, promised = os.fstat(packed.fileno()).st_size, _header_bytes(3) + math.prod(shape)
            if promised > most_unpacked(size) if is_packed else promised != size:
                raise _wrong_size(shape, promised, size, is_packed=is_packed, where=where)
            for start in range(0, shape[0], PART_IMAGES):
                count = min(PART_IMAGES, shape[0] - start)
                # Raises ValueError, which is what DataError is, where the stream is cut short.
                yield np.frombuffer(file.read(count * SIDE * SIDE), np.uint8).reshape(
                    count, SIDE, SIDE
                )
            if file.read(1):
                raise EOFError("it goes on behind its last picture")
        except DataError:
            raise
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise DataError(
                f"{where}: expected a sound file, received a damaged one ({error}). Download or copy it again."
            ) from error


def read_folder(folder: Path) -> Parts:
    """The files train-images, train-labels and, where there, t10k-images, t10k-labels of a folder.

    Each may end in -idx3-ubyte (labels: -idx1-ubyte) or .idx3-ubyte, with or without .gz; where
    both are there, the one that needs no unpacking is read.
    """
    names = names_in(folder)
    train = _read_pair(folder, names, "train")
    if train is None:
        raise DataError(
            f"{folder}: expected train-images-idx3-ubyte and train-labels-idx1-ubyte (or with .gz), "
            f"received {', '.join(names[:6]) or 'an empty folder'}. "
            "Name the folder in which the four IDX files lie."
        )
    return Parts(train, _read_pair(folder, names, "t10k"))


def holds_idx(folder: Path) -> bool:
    """Whether a folder has a file that `read_folder` would read as training images."""
    return _find(folder, names_in(folder), "train", 3) is not None


def _read_pair(folder: Path, names: list[str], part: str) -> Digits | None:
    images_path = _find(folder, names, part, 3)
    labels_path = _find(folder, names, part, 1)
    if images_path is None and labels_path is None:
        return None
    if images_path is None or labels_path is None:
        missing = KIND_OF_DIMENSIONS[3 if images_path is None else 1]
        raise DataError(
            f"{folder}: expected images and labels of the part {part!r}, received no file of "
            f"{missing}. Put both files into the folder."
        )
    images = parse_images(read_file(images_path), where=str(images_path))
    labels = parse_labels(read_file(labels_path), where=str(labels_path))
    return Digits(images, labels, str(images_path))


def _find(folder: Path, names: list[str], part: str, dimensions: int) -> Path | None:
    stem = f"{part}-{KIND_OF_DIMENSIONS[dimensions]}"
    for ending in ("", ".gz"):
        for joint in "-.":
            name = f"{stem}{joint}idx{dimensions}-ubyte{ending}"
            if name in names:
                return folder / name
    return None


def _parse(content: bytes, *, dimensions: int, where: str) -> tuple[NDArray[np.uint8], list[int]]:
    """The values of an IDX file, flat, and its shape. The header is believed only once it is checked."""
    size = _header_bytes(dimensions)
    packed = is_gzip(content)
    header = gunzip_start(content, size, where=where) if packed else content[:size]
    shape = _parse_header(header, dimensions=dimensions, where=where)
    expected = size + math.prod(shape)
    if packed and expected <= most_unpacked(len(content)):
        content = gunzip(content, at_most=expected, where=where)
    if len(content) != expected:
        raise _wrong_size(shape, expected, len(content), is_packed=is_gzip(content), where=where)
    return np.frombuffer(content, np.uint8, offset=size), shape


def _wrong_size(
    shape: list[int], expected: int, received: int, *, is_packed: bool, where: str
) -> DataError:
    return DataError(
        f"{where}: expected {expected:,} bytes, as the header's {shape[0]:,} {KIND_OF_DIMENSIONS[len(shape)]} "
        f"need, received {received:,}{' packed' if is_packed else ''}. Download or copy the file again."
    )


def _parse_header(header: bytes, *, dimensions: int, where: str) -> list[int]:
    magic = bytes([0, 0, UNSIGNED_BYTES, dimensions])
    if header[:4] != magic:
        raise DataError(
            f"{where}: expected an IDX file of {KIND_OF_DIMENSIONS[dimensions]} (first bytes "
            f"{magic.hex(' ')}), received {header[:4].hex(' ') or 'nothing'}. {_hint(header)}"
        )
    if len(header) < _header_bytes(dimensions):
        raise DataError(
            f"{where}: expected a header of {_header_bytes(dimensions)} bytes, received "
            f"{len(header)}. The file is cut short: download or copy it again."
        )
    shape = [int(n) for n in np.frombuffer(header, ">u4", offset=4)]
    if not 1 <= shape[0] <= MAX_IMAGES:
        raise DataError(
            f"{where}: expected 1 to {MAX_IMAGES:,} {KIND_OF_DIMENSIONS[dimensions]}, received a "
            f"header that says {shape[0]:,}. The file is damaged or not in IDX format."
        )
    if dimensions == 3 and shape[1:] != [SIDE, SIDE]:
        raise DataError(
            f"{where}: expected pictures of {SIDE}x{SIDE}, received {shape[1]}x{shape[2]}. "
            "Scikit-learn's 8x8 digits are the data set 'uci-digits'."
        )
    return shape


def _hint(header: bytes) -> str:
    for dimensions, kind in KIND_OF_DIMENSIONS.items():
        if header[:4] == bytes([0, 0, UNSIGNED_BYTES, dimensions]):
            return f"This is a file of {kind}: check that the two names are not swapped."
    return "It is another kind of file, or damaged: download it again."


def _header_bytes(dimensions: int) -> int:
    return 4 + 4 * dimensions
