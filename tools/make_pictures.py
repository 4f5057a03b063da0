"""Draw the pictures of the documentation: a page and how it is read, a digit's way into MNIST's form, the drawing page.

usage: python tools/make_pictures.py

Writes docs/pictures/. The page is drawn from MNIST's digits, so that no picture is anybody's. The drawing page
needs the dev extra and a Chromium; it is left as it is where there is none.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import tenfold
from tenfold.pictures import canonical, ink_of
from tenfold.reading import overlay

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
STRINGS = ("28031964", "4711", "90125")
SIDE = 224

sys.path.insert(0, str(ROOT / "tests" / "reading"))
from drawing import Style, chosen, draw  # noqa: E402

PAGE = Style(
    height=56,
    rulings="ruled",
    lines_apart=1.6,
    shadow=0.4,
    noise=3.0,
    desk=(70, 55, 45),
    angle=0.03,
)


def main() -> None:
    """Write every picture, and say what was read."""
    PICTURES.mkdir(exist_ok=True)
    photo = _photo()
    Image.fromarray(photo).save(PICTURES / "photo.jpg", quality=80)
    page = tenfold.read(photo)
    Image.fromarray(overlay(photo, page)).save(PICTURES / "read.jpg", quality=80)
    _steps(photo, page.lines[0].digits[0].box).save(PICTURES / "steps.png", optimize=True)
    sys.stdout.write(f"{page.text}\n")
    chromium = shutil.which("chromium")
    if chromium:
        _drawing_page(chromium)


def _photo() -> NDArray[np.uint8]:
    digits = tenfold.load("mnist5k", say=lambda _: None).train
    chance = np.random.default_rng(5)
    glyphs = chosen(STRINGS, digits.images, digits.known_labels, chance)
    return draw(glyphs, PAGE, chance)


def _steps(photo: NDArray[np.uint8], box: tuple[int, int, int, int]) -> Image.Image:
    """A digit cut out of the photo, its ink, and the 28x28 picture that the network sees, side by side."""
    x, y, width, height = box
    margin = height // 3
    cut = photo[max(y - margin, 0) : y + height + margin, max(x - margin, 0) : x + width + margin]
    ink = np.asarray(255 * ink_of(cut), np.uint8)
    strip = Image.new("RGB", (3 * SIDE + 2 * 16, SIDE), "white")
    for number, step in enumerate((cut, ink, canonical(cut))):
        shown = Image.fromarray(step).convert("RGB")
        shown.thumbnail((SIDE, SIDE))
        scale = SIDE / max(shown.size)
        size = round(shown.width * scale), round(shown.height * scale)
        strip.paste(shown.resize(size, Image.Resampling.NEAREST), (number * (SIDE + 16), 0))
    return strip


def _drawing_page(chromium: str) -> None:
    from playwright.sync_api import sync_playwright

    command = [Path(sys.executable).with_name("tenfold"), "serve", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert server.stdout is not None  # noqa: S101  a pipe was asked for
        url = re.search(r"http\S+", server.stdout.readline())[0]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1100, "height": 640})
            page.goto(url)
            place = page.locator("canvas").first.bounding_box()
            for stroke in _THREE:
                points = [
                    (place["x"] + u * place["width"], place["y"] + v * place["height"])
                    for u, v in stroke
                ]
                page.mouse.move(*points[0])
                page.mouse.down()
                for point in points[1:]:
                    page.mouse.move(*point, steps=6)
                page.mouse.up()
            page.wait_for_timeout(1500)
            page.screenshot(path=PICTURES / "drawing-page.png")
            browser.close()
    finally:
        server.terminate()
        server.wait()


_THREE = [
    [(0.36, 0.25), (0.44, 0.16), (0.56, 0.17), (0.62, 0.28), (0.57, 0.4), (0.46, 0.46), (0.58, 0.5),
     (0.65, 0.62), (0.61, 0.76), (0.5, 0.84), (0.36, 0.8)],
]  # fmt: skip


if __name__ == "__main__":
    main()
