"""Folders of pictures: every entry is read or named, and no decoder runs that should not."""

import io
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tenfold import data
from tenfold.data import folder
from tenfold.digits import Digits
from tenfold.errors import DataError

GREY = np.arange(784, dtype=np.uint16).reshape(28, 28).astype(np.uint8)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    pixels: np.ndarray, *, depth: int = 8, colour: int = 0, size: tuple[int, int] | None = None
) -> bytes:
    """A PNG written from its specification; `size` lies about the pixels."""
    width, height = size or (pixels.shape[1], pixels.shape[0])
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    lines = b"".join(b"\0" + row.tobytes() for row in pixels)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(lines))
        + chunk(b"IEND", b"")
    )


def saved(pixels: np.ndarray, form: str, mode: str = "L") -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(content, form)
    return content.getvalue()


def write_labelled(root: Path, digits: Digits) -> None:
    for i, (image, label) in enumerate(zip(digits.images, digits.known_labels, strict=True)):
        (root / str(label)).mkdir(exist_ok=True)
        (root / str(label) / f"{i:04d}.png").write_bytes(png(image))


def test_a_grey_png_is_its_pixels() -> None:
    np.testing.assert_array_equal(folder.parse_picture(png(GREY), where="f"), GREY)


@pytest.mark.parametrize("form", ["PNG", "BMP", "PPM"])
def test_other_formats_without_loss_give_the_same_pixels(form: str) -> None:
    np.testing.assert_array_equal(folder.parse_picture(saved(GREY, form), where="f"), GREY)


def test_black_and_white_becomes_0_and_255() -> None:
    picture = folder.parse_picture(saved(GREY, "PNG", "1"), where="f")
    assert set(np.unique(picture)) == {0, 255}


def test_a_jpeg_is_nearly_its_pixels(some: Callable[[int], Digits]) -> None:
    image = some(1).images[0]
    read = folder.parse_picture(saved(image, "JPEG"), where="f")
    assert np.abs(read.astype(int) - image).mean() < 5  # quality 75 is within a few grey values


def test_sub_folders_are_labels_in_order(tmp_path: Path, some: Callable[[int], Digits]) -> None:
    digits = some(40)
    write_labelled(tmp_path, digits)
    order = np.lexsort((np.arange(40), digits.known_labels))
    expected = digits.take(order)
    parts = data.load(f"folder:{tmp_path}")
    assert parts.train.hash == expected.hash
    assert parts.test is None
    assert data.read_images(str(tmp_path)).hash == expected.hash


def test_a_folder_without_sub_folders_has_no_labels(tmp_path: Path, some) -> None:
    for i, image in enumerate(some(12).images):
        (tmp_path / f"{i:02d}.png").write_bytes(png(image))
    for spec in (str(tmp_path), f"folder:{tmp_path}"):
        read = data.read_images(spec)
        assert read.labels is None
        np.testing.assert_array_equal(read.images, some(12).images)
    one = data.read_images(str(tmp_path / "07.png"))
    np.testing.assert_array_equal(one.images, some(12).images[7:8])
    with pytest.raises(DataError, match=r"00\.png: expected only sub-folders"):
        data.load(f"folder:{tmp_path}")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"hello", "does not decode"),
        (b"\x89PNG\r\n\x1a\n", "does not decode"),
        (png(GREY)[:60], "does not decode"),
        (png(GREY)[:100] + b"\0" + png(GREY)[101:], "does not decode"),
        (png(GREY[:8, :8]), "received 8x8"),
        (png(GREY[:, :27]), "received 27x28"),
        (png(GREY, size=(28, 2_000_000)), "received 28x2000000|does not decode"),
        (png(GREY, size=(60_000, 60_000)), "does not decode"),
        (png(GREY, size=(28, 29)), "received 28x29"),
        (png(np.zeros((28, 28), ">u2"), depth=16), "received mode 'I;16"),
        (png(np.zeros((28, 28, 3), np.uint8), colour=2), "received mode 'RGB'"),
        (png(np.zeros((28, 28, 2), np.uint8), colour=4), "received mode 'LA'"),
        (png(np.zeros((28, 28, 4), np.uint8), colour=6), "received mode 'RGBA'"),
        (saved(GREY, "PNG", "P"), "received mode 'P'"),
        (saved(GREY, "JPEG", "CMYK"), "received mode 'CMYK'"),
        (saved(GREY, "GIF"), "does not decode"),
        (saved(GREY, "TIFF"), "does not decode"),
        (saved(GREY, "EPS"), "does not decode"),
        (saved(GREY, "PDF"), "does not decode"),
        (saved(GREY, "WEBP"), "does not decode"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_grey_28x28_picture_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "4").mkdir()
    (tmp_path / "4" / "a.png").write_bytes(png(GREY))
    (tmp_path / "4" / "b.png").write_bytes(content)
    with pytest.raises(DataError, match=rf"4/b\.png: .*(?:{says})"):
        data.load(f"folder:{tmp_path}")


def test_no_program_is_started_for_a_disguised_drawing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "drawing.png").write_bytes(saved(GREY, "EPS"))
    started: list[object] = []
    monkeypatch.setattr(
        subprocess.Popen, "__init__", lambda self, command, **_: started.append(command)
    )
    with pytest.raises(DataError, match="does not decode"):
        data.load(f"folder:{tmp_path}")
    assert not started


def test_several_frames_are_refused(tmp_path: Path) -> None:
    frames = [Image.fromarray(GREY), Image.fromarray(255 - GREY)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    with pytest.raises(DataError, match="expected one picture"):
        data.read_images(str(tmp_path / "a.png"))


def test_a_picture_of_megabytes_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(GREY) + bytes(2**20))
    with pytest.raises(DataError, match=r"a\.png: expected a file of 1 to 1,048,576 bytes"):
        data.read_images(str(tmp_path / "a.png"))


@pytest.mark.parametrize("name", ["10", "00", "-1", "seven", "٣", "3 ", ".DS_Store"])
def test_a_sub_folder_that_is_no_label_is_named(tmp_path: Path, name: str) -> None:
    write_labelled(tmp_path, Digits(GREY[None], np.array([3], np.uint8), "x"))
    (tmp_path / name).mkdir()
    (tmp_path / name / "a.png").write_bytes(png(GREY))
    with pytest.raises(DataError) as caught:
        data.load(f"folder:{tmp_path}")
    assert str(tmp_path / name) in str(caught.value)


def test_stray_and_missing_things_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="received an empty folder"):
        data.load(f"folder:{tmp_path}")
    with pytest.raises(DataError, match="expected 1 to 1,000,000 pictures, received 0"):
        data.read_images(str(tmp_path))
    with pytest.raises(DataError, match="nowhere: no such folder"):
        data.load(f"folder:{tmp_path / 'nowhere'}")
    (tmp_path / "3").mkdir()
    with pytest.raises(DataError, match="3: expected 1 to 1,000,000 pictures, received 0"):
        data.load(f"folder:{tmp_path}")
    (tmp_path / "3" / "deeper").mkdir()
    with pytest.raises(DataError, match="deeper: expected a file, received a folder"):
        data.load(f"folder:{tmp_path}")
    (tmp_path / "3" / "deeper").rmdir()
    (tmp_path / "3" / "notes.txt").write_text("about these pictures")
    with pytest.raises(DataError, match=r"notes\.txt: expected a picture"):
        data.load(f"folder:{tmp_path}")
    (tmp_path / "3" / "notes.txt").rename(tmp_path / "3" / "a.png")
    (tmp_path / "3" / "a.png").write_bytes(png(GREY))
    (tmp_path / "4").write_bytes(png(GREY))
    with pytest.raises(DataError, match="4: expected only sub-folders"):
        data.load(f"folder:{tmp_path}")


def test_links_may_stay_inside_the_folder_but_not_leave_it(tmp_path: Path) -> None:
    root, secret = tmp_path / "root", tmp_path / "secret.png"
    (root / "3").mkdir(parents=True)
    (root / "3" / "a.png").write_bytes(png(GREY))
    (root / "3" / "b.png").symlink_to("a.png")
    secret.write_bytes(png(GREY))
    assert len(data.load(f"folder:{root}").train) == 2
    (tmp_path / "link").symlink_to(root)
    assert len(data.load(f"folder:{tmp_path / 'link'}").train) == 2

    (root / "3" / "c.png").symlink_to("../../secret.png")
    with pytest.raises(DataError, match=r"c\.png: .*a link that leads out of it"):
        data.load(f"folder:{root}")
    (root / "3" / "c.png").unlink()
    (root / "5").symlink_to(tmp_path)
    with pytest.raises(DataError, match="5: .*a link that leads out of it"):
        data.load(f"folder:{root}")
    (root / "5").unlink()
    (root / "3" / "loop.png").symlink_to("loop.png")
    with pytest.raises(DataError, match=r"loop\.png: "):
        data.load(f"folder:{root}")
