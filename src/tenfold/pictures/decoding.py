"""Bytes of a picture file -> pixels, for files that nobody vouches for.

The bytes decide the format, never the name. Only decoders that start no other program are open (EPS would
start Ghostscript). Bytes, width and height are checked before any pixel is read. Knows nothing about digits.
"""

import re
import warnings
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import DataError

if TYPE_CHECKING:
    from PIL import Image

Picture = NDArray[np.uint8]

FORMATS = ("PNG", "JPEG", "BMP", "PPM", "GIF", "WEBP", "TIFF")
# Room for the largest sensor of today's phones with a margin (8,192 x 6,144 is 50 million pixels).
MAX_PIXELS = 64_000_000
# 64 million pixels in 8-bit grey without any compression.
MAX_PICTURE_BYTES = 64 * 2**20
# Each scan of a progressive JPEG goes over all pixels once more. Encoders write about ten; a file of a
# few kilobytes may hold thousands.
MAX_JPEG_SCANS = 100

# What people have instead, by a mark within its first bytes.
_OTHERS = (
    (b"ftypavif", "an AVIF picture"),
    (b"ftyphei", "a HEIC picture"),
    (b"ftyphev", "a HEIC picture"),
    (b"ftypmif1", "a HEIC picture"),
    (b"%PDF", "a PDF document"),
    (b"%!PS", "PostScript"),
    (b"<svg", "an SVG drawing"),
)

# Values that become float64 together: of 64 million pixels these are gigabytes.
_AT_A_TIME = 2**20

_WHITES = tuple(2.0**bits - 1 for bits in (8, 10, 12, 14, 16))
_ORIENTATION = 0x0112
_JPEG_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])", re.DOTALL)
_START_OF_SCAN, _END_OF_IMAGE, _START_OF_IMAGE = 0xDA, 0xD9, 0xD8


def decode(content: bytes, *, where: str, max_pixels: int = MAX_PIXELS) -> Picture:
    """A PNG, JPEG, BMP, PPM or PGM, GIF, WEBP or TIFF file -> uint8 (h, w), (h, w, 3) or (h, w, 4).

    Grey stays grey, colour is RGB, and the fourth channel is opacity where the file has any. Turned upright as
    EXIF says. More than 8 bits a value are scaled down, never cut off.

    Args:
        content: the whole file.
        where: what to call it in an error.
        max_pixels: width times height, at most.

    Raises:
        DataError: another format, several pictures in one file, damage, too many bytes or pixels.
    """
    from PIL import Image, UnidentifiedImageError

    if len(content) > MAX_PICTURE_BYTES:
        raise DataError(
            f"{where}: expected a picture of at most {MAX_PICTURE_BYTES:,} bytes, received "
            f"{len(content):,}. Save it smaller, or as JPEG."
        )
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd metadata, which no pixel depends on, and of sizes that are refused below.
            warnings.filterwarnings("ignore", module="PIL")
            with Image.open(BytesIO(content), formats=FORMATS) as picture:
                _check_header(picture, content, where, max_pixels)
                picture.load()
                return _upright(_pixels(picture), picture)
    except DataError:
        raise
    except Image.DecompressionBombError as error:
        # Pillow's own limit is above ours, but comes first.
        raise _too_large(where, max_pixels, "many more") from error
    except UnidentifiedImageError as error:
        raise DataError(
            f"{where}: expected a picture ({', '.join(FORMATS)}), received {_looks_like(content)}. "
            "Open it in another program and save it as PNG or JPEG."
        ) from error
    # Pillow's decoders raise whatever the bytes provoke: OSError, SyntaxError, struct.error, ...
    except Exception as error:
        raise DataError(
            f"{where}: expected a picture ({', '.join(FORMATS)}), received something that does not decode "
            f"as one ({_reason(error)}). Open it in another program and save it as PNG or JPEG."
        ) from error


def _looks_like(content: bytes) -> str:
    """What else it may be, by its first bytes."""
    if not content:
        return "nothing, an empty file"
    start = content[:200].lower()
    found = (what for mark, what in _OTHERS if mark.lower() in start)
    return next(found, "something else, or a damaged one")


def _reason(error: Exception) -> str:
    # Pillow names the memory address of the buffer here, which helps nobody.
    text = re.sub(r"<_io\.BytesIO object at 0x[0-9a-f]+>", "these bytes", str(error))
    return text or type(error).__name__


def _check_header(picture: "Image.Image", content: bytes, where: str, max_pixels: int) -> None:
    width, height = picture.size
    if not 1 <= width * height <= max_pixels:
        raise _too_large(where, max_pixels, f"{width:,}x{height:,}")
    # A JPEG may carry a second picture that only some viewers show: the other eye's, or a map of brightness.
    if picture.format not in ("JPEG", "MPO") and getattr(picture, "is_animated", False):
        raise DataError(
            f"{where}: expected one picture, received an animation or several pages in one file. "
            "Save the one that shows the digits as a file of its own."
        )
    if picture.format in ("JPEG", "MPO") and _jpeg_scans(content) > MAX_JPEG_SCANS:
        raise DataError(
            f"{where}: expected a JPEG of at most {MAX_JPEG_SCANS} scans, received more. Such a file takes "
            "very long to decode: open it in another program and save it again."
        )


def _too_large(where: str, max_pixels: int, received: str) -> DataError:
    return DataError(
        f"{where}: expected a picture of at most {max_pixels:,} pixels, received {received}. "
        "Make it smaller, or cut out the part with the digits."
    )


def _jpeg_scans(content: bytes) -> int:
    """How often a decoder goes over the pixels of the first picture in a JPEG file."""
    scans = place = 0
    while found := _JPEG_MARKER.search(content, place):
        marker, place = found[1][0], found.end()
        if marker == _END_OF_IMAGE:
            break
        scans += marker == _START_OF_SCAN
        if marker != _START_OF_IMAGE:
            # What a segment carries, a thumbnail say, is not looked into.
            place += max(int.from_bytes(content[place : place + 2], "big"), 2)
    return scans


def _pixels(picture: "Image.Image") -> Picture:
    """A loaded picture of any of Pillow's modes -> grey, RGB or RGBA."""
    mode = picture.mode
    if mode == "F" or mode.startswith("I"):
        return _eight_bits(np.asarray(picture))
    if mode == "LAB":
        return np.asarray(picture.getchannel("L"))
    if mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in picture.info:
        # Pillow has no direct way from premultiplied grey.
        return np.asarray((picture.convert("LA") if mode == "La" else picture).convert("RGBA"))
    return np.asarray(picture if mode in ("L", "RGB") else picture.convert(_plain_mode(picture)))


def _plain_mode(picture: "Image.Image") -> str:
    return "L" if picture.mode == "1" else "RGB"


def _eight_bits(values: NDArray[np.generic]) -> Picture:
    """Whole numbers or floats of more than 8 bits (h, w) -> uint8; black and white stay where they were.

    Whole numbers up to 65535 are taken from 0 to the most that 8, 10, 12, 14 or 16 bits hold, the first of these that
    none exceeds: cameras and scanners write 10 bits as they are into files of 16. Floats within 0..1 are taken from
    there; anything else from its smallest value to its largest. What is not a number is black.
    """
    parts = [
        values.ravel()[start : start + _AT_A_TIME] for start in range(0, values.size, _AT_A_TIME)
    ]
    low = min(float(_numbers(part).min()) for part in parts)
    high = max(float(_numbers(part).max()) for part in parts)
    if values.dtype.kind in "iu" and low >= 0 and high <= _WHITES[-1]:
        low, high = 0.0, next(white for white in _WHITES if high <= white)
    elif values.dtype.kind == "f" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif low == high:
        return np.zeros(values.shape, np.uint8)
    # In this order white is 255 to the last bit.
    scaled = [((_numbers(part) - low) * 255 / (high - low)).astype(np.uint8) for part in parts]
    return np.concatenate(scaled).reshape(values.shape)


def _numbers(values: NDArray[np.generic]) -> NDArray[np.float64]:
    return np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)


def _upright(pixels: Picture, picture: "Image.Image") -> Picture:
    """The pixels turned and mirrored as the file's EXIF data ask for."""
    try:
        orientation = picture.getexif().get(_ORIENTATION, 1)
    except Exception:
        orientation = 1
    # Sides that a viewer shows: 1 as stored, 2 mirrored, 3 upside down, 4 both; 5 to 8 the same with
    # rows and columns exchanged.
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
