"""A folder of 28x28 grey pictures -> Digits: one sub-folder a label, or pictures without labels.

Knows nothing about pictures of any other size or colour: making those canonical is the work of
`pictures`. Every entry of the folder is either read or named in an error; none is left out.
"""

import os
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np

from tenfold.data.raw import MAX_IMAGES, names_in, read_file
from tenfold.digits import CLASSES, SIDE, Digits, Images
from tenfold.errors import DataError

# Formats whose decoders are in Pillow's core and start no other program (EPS starts Ghostscript).
# The bytes decide which one it is, never the name.
FORMATS = ("PNG", "JPEG", "BMP", "PPM")
GREY_MODES = ("L", "1")
# A 28x28 picture has 784 pixels; the rest of this is room for what cameras and editors add.
MAX_PICTURE_BYTES = 2**20
LABEL_NAMES = tuple(str(label) for label in range(CLASSES))


def parse_picture(content: bytes, *, where: str) -> Images:
    """One encoded 28x28 grey picture -> uint8 (28, 28), or DataError. Size is checked before pixels."""
    from PIL import Image

    try:
        with (
            warnings.catch_warnings(action="error"),
            Image.open(BytesIO(content), formats=FORMATS) as picture,
        ):
            if picture.size != (SIDE, SIDE):
                width, height = picture.size
                raise DataError(
                    f"{where}: expected a picture of {SIDE}x{SIDE}, received {width}x{height}. "
                    "For pictures of any size use `tenfold predict`, which makes them 28x28."
                )
            if picture.mode not in GREY_MODES or getattr(picture, "n_frames", 1) != 1:
                raise DataError(
                    f"{where}: expected one picture of 8-bit grey, received mode {picture.mode!r}. "
                    "Save it as grey, without colour, transparency or animation."
                )
            return np.asarray(picture.convert("L"))
    except DataError:
        raise
    # Pillow's decoders raise whatever the bytes provoke: OSError, SyntaxError, struct.error, ...
    except Exception as error:
        raise DataError(
            f"{where}: expected a picture ({', '.join(FORMATS)}), received something that does not "
            f"decode as one ({error}). Take it out of the folder, or save it again."
        ) from error


def read_labelled(folder: Path) -> Digits:
    """The sub-folders 0..9 (not all need be there) of a folder, each full of pictures -> Digits.

    Order: by label, then by name.
    """
    names = names_in(folder)
    if not names:
        raise DataError(f"{folder}: expected sub-folders 0..9, received an empty folder.")
    paths: list[Path] = []
    labels: list[int] = []
    for name in names:
        if name not in LABEL_NAMES or not os.path.isdir(folder / name):
            raise DataError(
                f"{folder / name}: expected only sub-folders 0..9 here, received this. "
                "Take it out of the folder, or rename it to the label of its pictures."
            )
        pictures = pictures_in(folder / name, root=folder)
        paths += pictures
        labels += [int(name)] * len(pictures)
    return Digits(_decode(paths), np.array(labels, np.uint8), str(folder))


def read_images(path: Path) -> Digits:
    """One picture; or a folder of pictures by name, without labels; or one of sub-folders, with them."""
    if not os.path.isdir(path):
        return Digits(_decode([path]), None, str(path))
    if any(os.path.isdir(path / name) for name in names_in(path)):
        return read_labelled(path)
    return Digits(_decode(pictures_in(path, root=path)), None, str(path))


def pictures_in(folder: Path, *, root: Path) -> list[Path]:
    """The entries of a folder by name, at least one; DataError where one leads out of `root`."""
    paths = [folder / name for name in names_in(folder)]
    if not 1 <= len(paths) <= MAX_IMAGES:
        raise DataError(
            f"{folder}: expected 1 to {MAX_IMAGES:,} pictures, received {len(paths):,}. "
            "Put pictures into it, or take the folder away."
        )
    inside = os.path.realpath(root)
    for path in (folder, *paths):
        if os.path.islink(path) and not Path(os.path.realpath(path)).is_relative_to(inside):
            raise DataError(
                f"{path}: expected a picture inside {root}, received a link that leads out of it. "
                "Copy the picture itself into the folder."
            )
    return paths


def _decode(paths: list[Path]) -> Images:
    return np.stack(
        [
            parse_picture(read_file(path, at_most=MAX_PICTURE_BYTES), where=str(path))
            for path in paths
        ]
    )
