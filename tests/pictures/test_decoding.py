"""Decoding: every common form of picture gives its pixels, everything else a sentence."""

import contextlib
import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from tenfold.errors import DataError
from tenfold.pictures import MAX_PICTURE_BYTES, MAX_PIXELS, decode

GREY = np.arange(12 * 9, dtype=np.uint8).reshape(12, 9) * 2
COLOUR = np.random.default_rng(0).integers(0, 256, (12, 9, 3), dtype=np.uint8)


def written(picture: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def refused(content: bytes, **options: int) -> str:
    with pytest.raises(DataError) as caught:
        decode(content, where="it.png", **options)
    message = str(caught.value)
    assert message.startswith("it.png: expected ")
    assert "0x" not in message
    return message


@pytest.mark.parametrize("form", ["PNG", "BMP", "PPM", "TIFF", "WEBP"])
def test_what_is_stored_without_loss_comes_back(form):
    options = {"lossless": True} if form == "WEBP" else {}
    found = decode(written(Image.fromarray(COLOUR), form, **options), where="it")
    np.testing.assert_array_equal(found, COLOUR)
    assert found.dtype == np.uint8


@pytest.mark.parametrize("form", ["PNG", "BMP", "PPM", "TIFF", "GIF"])
def test_grey_stays_grey(form):
    found = decode(written(Image.fromarray(GREY), form), where="it")
    # A GIF has a palette, even of greys.
    np.testing.assert_array_equal(found if found.ndim == 2 else found[..., 0], GREY)


def test_a_jpeg_is_nearly_what_it_was():
    smooth = np.linspace(0, 255, 64, dtype=np.uint8)[:, None] * np.ones((1, 48), np.uint8)
    found = decode(written(Image.fromarray(smooth), "JPEG", quality=95), where="it")
    assert found.shape == (64, 48)
    assert np.abs(found.astype(int) - smooth).max() <= 4


def test_sixteen_bits_are_scaled_and_not_cut_off():
    wide = GREY.astype(np.uint16) * 257
    for form in ("PNG", "TIFF"):
        found = decode(written(Image.fromarray(wide), form), where="it")
        np.testing.assert_array_equal(found, GREY)
    plain = b"P5 9 12 65535\n" + wide.astype(">u2").tobytes()
    np.testing.assert_array_equal(decode(plain, where="it"), GREY)


@pytest.mark.parametrize("kind", [np.uint16, np.int32])
def test_eight_bits_in_a_wider_file_stay_what_they_are(kind):
    wider = Image.fromarray(GREY.astype(kind))
    np.testing.assert_array_equal(decode(written(wider, "TIFF"), where="it"), GREY)


@pytest.mark.parametrize("kind", [np.uint16, np.int32])
@pytest.mark.parametrize("bits", [10, 12, 14])
def test_bits_of_a_camera_in_a_file_of_sixteen_are_no_darkness(kind, bits):
    # White paper of such a camera is 2**bits - 1, which is 6 % of white in 16 bits for 12 of them.
    values = (GREY.astype(kind) << (bits - 8)) + (1 << (bits - 9))
    values[0, 0] = 2**bits - 1
    found = decode(written(Image.fromarray(values), "TIFF"), where="it").astype(int)
    assert found[0, 0] == 255
    assert np.abs(found - GREY).ravel()[1:].max() <= 1


def test_sixteen_bit_colour_keeps_its_upper_half():
    rows = b"".join(b"\0" + (row.astype(">u2") * 257).tobytes() for row in COLOUR)
    np.testing.assert_array_equal(decode(png(9, 12, 16, 2, rows), where="it"), COLOUR)


def test_floats_are_taken_from_nought_to_one_or_from_least_to_most():
    unit = np.linspace(0, 1, 108, dtype=np.float32).reshape(12, 9)
    unit[0, 1] = np.nan
    found = decode(written(Image.fromarray(unit), "TIFF"), where="it")
    assert (found[0, 0], found[0, 1], found[-1, -1]) == (0, 0, 255)
    found = decode(written(Image.fromarray(unit[1:] * 5000 - 100), "TIFF"), where="it")
    assert (found[0, 0], found[-1, -1]) == (0, 255)
    assert (
        decode(written(Image.fromarray(np.full((3, 3), 7e9, np.float32)), "TIFF"), where="it").max()
        == 0
    )


@pytest.mark.parametrize("kind", [np.float32, np.int32])
def test_wide_values_take_little_more_memory_than_they_have(kind):
    values = np.arange(-2_000_000, 2_000_000).reshape(2_000, 2_000).astype(kind)
    content = written(Image.fromarray(values), "TIFF")
    tracemalloc.start()
    found = decode(content, where="it")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Of 4 million pixels with 4 bytes each: what Pillow hands over, twice while it does, and 8 bits of each.
    assert most < 60_000_000
    by_hand = (values.astype(np.float64) + 2_000_000) * 255 / 3_999_999
    np.testing.assert_array_equal(found, np.floor(by_hand))


def test_one_bit_and_palettes_become_grey_and_colour():
    bits = GREY > 100
    found = decode(written(Image.fromarray(bits), "PNG"), where="it")
    np.testing.assert_array_equal(found, np.where(bits, 255, 0))
    red_blue = Image.fromarray(bits.astype(np.uint8), "L").convert("P")
    red_blue.putpalette([255, 0, 0, 0, 0, 255])
    found = decode(written(red_blue, "PNG"), where="it")
    np.testing.assert_array_equal(found, np.where(bits[..., None], [0, 0, 255], [255, 0, 0]))


def test_opacity_is_the_fourth_channel_whatever_way_it_is_stored():
    opacity = np.where(GREY > 100, 255, 0).astype(np.uint8)
    two = Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(opacity)])
    found = decode(written(two, "PNG"), where="it")
    np.testing.assert_array_equal(found[..., 0], GREY)
    np.testing.assert_array_equal(found[..., 3], opacity)
    one_is_clear = Image.fromarray((GREY > 100).astype(np.uint8), "L").convert("P")
    found = decode(written(one_is_clear, "PNG", transparency=0), where="it")
    np.testing.assert_array_equal(found[..., 3], opacity)
    clear_grey = written(
        Image.fromarray(np.where(GREY > 100, 9, 200).astype(np.uint8)), "PNG", transparency=200
    )
    np.testing.assert_array_equal(decode(clear_grey, where="it")[..., 3], opacity)


def test_printing_colours_become_screen_colours():
    white_and_black = np.zeros((16, 16, 4), np.uint8)
    white_and_black[:, 8:, 3] = 255
    for form in ("JPEG", "TIFF"):
        found = decode(written(Image.fromarray(white_and_black, "CMYK"), form), where="it")
        assert found[:, :6].min() > 245
        assert found[:, 10:].max() < 10


def test_lightness_stands_for_colours_of_lab():
    lab = ImageCms.createProfile("LAB")
    turned = ImageCms.profileToProfile(
        Image.fromarray(COLOUR), ImageCms.createProfile("sRGB"), lab, outputMode="LAB"
    )
    found = decode(written(turned, "TIFF"), where="it")
    np.testing.assert_array_equal(found, np.asarray(turned)[..., 0])


def turns() -> dict[int, np.ndarray]:
    """What EXIF says of how a picture is stored -> the stored pixels of the upright COLOUR."""
    up = COLOUR
    return {
        1: up, 2: up[:, ::-1], 3: up[::-1, ::-1], 4: up[::-1], 5: up.swapaxes(0, 1),
        6: np.rot90(up), 7: up[::-1, ::-1].swapaxes(0, 1), 8: np.rot90(up, -1),
    }  # fmt: skip


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_a_picture_upright_once(form, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(turns()[orientation])
    options = {"lossless": True} if form == "WEBP" else {}
    content = written(Image.fromarray(stored), form, exif=exif, **options)
    np.testing.assert_array_equal(decode(content, where="it"), COLOUR)


def test_a_jpeg_taken_sideways_is_turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    half = np.zeros((64, 32), np.uint8)
    half[:, 16:] = 255
    found = decode(written(Image.fromarray(half), "JPEG", exif=exif), where="it")
    assert found.shape == (32, 64)
    assert found[:12].max() < 60
    assert found[20:].min() > 200


def test_broken_exif_is_no_reason_to_refuse():
    content = written(Image.fromarray(GREY), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff nothing")
    assert decode(content, where="it").shape == GREY.shape


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "nothing, an empty file"),
        (bytes(4) + b"ftypheic" + bytes(50), "a HEIC picture"),
        (bytes(4) + b"ftypavif" + bytes(50), "an AVIF picture"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript"),
        (b'<?xml version="1.0"?>\n<svg/>', "an SVG drawing"),
        (b"no picture", "something else"),
    ],
)
def test_what_people_have_instead_is_named(content, what):
    with pytest.raises(DataError, match=f"received {what}.*save it as PNG or JPEG"):
        decode(content, where="it")


def test_other_formats_are_refused_whatever_their_name(tmp_path):
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n"
    windows_icon = written(Image.fromarray(COLOUR).resize((16, 16)), "ICO")
    others = [
        b"",
        b"\0",
        b"GIF",
        postscript,
        windows_icon,
        b"%PDF-1.7\n",
        b"<svg/>",
        b"PK\3\4",
        bytes(1000),
    ]
    others += [
        written(Image.fromarray(COLOUR), form)
        for form in ("TGA", "PCX", "DDS", "ICNS", "SGI", "PDF")
    ]
    for content in others:
        assert "PNG, JPEG" in refused(content)


def test_what_ends_too_early_is_refused():
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    for form in ("PNG", "JPEG", "BMP", "PPM", "TIFF", "WEBP", "GIF"):
        whole = written(noise, form)
        for share in (0.1, 0.5, 0.9):
            refused(whole[: int(share * len(whole))])


def test_animations_and_pages_are_refused():
    frames = [Image.fromarray(np.full((9, 9), value, np.uint8)) for value in (0, 100, 200)]
    for form in ("GIF", "PNG", "WEBP", "TIFF"):
        content = written(frames[0], form, save_all=True, append_images=frames[1:])
        assert "one picture" in refused(content)


def test_a_photo_with_a_second_picture_for_other_viewers_is_read():
    first, second = Image.fromarray(COLOUR), Image.fromarray(COLOUR[::-1])
    content = written(first, "MPO", save_all=True, append_images=[second])
    assert decode(content, where="it").shape == COLOUR.shape


def png(width: int, height: int, bits: int, kind: int, rows: bytes) -> bytes:
    """A PNG whose header says what it is told to."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + name
            + content
            + struct.pack(">I", zlib.crc32(name + content))
        )

    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "size", [(8001, 8000), (100_000, 100_000), (2**31 - 1, 2**31 - 1), (1, 64_000_001)]
)
def test_more_pixels_than_allowed_are_refused_before_they_are_read(size):
    assert f"{MAX_PIXELS:,} pixels" in refused(png(*size, 8, 0, b"\0"))


@pytest.mark.parametrize("head", [b"P5 99999 99999 255\n", b"P6 2147483647 2147483647 255\n"])
def test_the_same_in_other_formats(head):
    assert "pixels" in refused(head + bytes(100))


def test_a_caller_may_allow_fewer_pixels():
    content = written(Image.fromarray(GREY), "PNG")
    assert "at most 107 pixels" in refused(content, max_pixels=107)
    assert decode(content, where="it", max_pixels=108).shape == GREY.shape


def test_more_bytes_than_allowed_are_refused_unread():
    assert f"{MAX_PICTURE_BYTES:,} bytes" in refused(bytes(MAX_PICTURE_BYTES + 1))


def test_a_jpeg_of_thousands_of_scans_is_refused():
    content = written(Image.fromarray(GREY), "JPEG", progressive=True)
    assert decode(content, where="it").shape == GREY.shape
    start = content.rindex(b"\xff\xda")
    many = content[:start] + 5000 * content[start:-2] + content[-2:]
    assert "scans" in refused(many)


def test_four_thousand_by_four_thousand_is_read():
    bits = Image.new("1", (4000, 4000), 1)
    assert decode(written(bits, "PNG"), where="it").shape == (4000, 4000)


@given(st.sampled_from(["PNG", "JPEG", "BMP", "PPM", "TIFF", "WEBP", "GIF"]), st.data())
def test_a_changed_byte_gives_a_picture_or_a_sentence(form, data):
    content = bytearray(written(Image.fromarray(COLOUR), form))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(DataError):
        found = decode(bytes(content), where="it")
        assert found.dtype == np.uint8
        assert found.ndim == 2 or found.shape[2] in (3, 4)
