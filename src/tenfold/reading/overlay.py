"""A photo with what was read on it: a box around each digit, the digit above it, what the model saw below it."""

import numpy as np
from numpy.typing import NDArray

from tenfold.reading.page import Digit, Page

# Larger photos are shrunk: an overlay is for eyes.
MAX_SIDE = 2400
# Digits smaller than this could not be read in their labels.
SMALLEST_LABEL = 11
SURE, UNSURE = (0, 110, 200), (215, 40, 40)


def overlay(photo: NDArray[np.uint8], page: Page) -> NDArray[np.uint8]:
    """A photo uint8 (h, w), (h, w, 3) or (h, w, 4) and its page -> uint8 (H, W, 3), the longer side up to MAX_SIDE.

    Red is what is no digit.
    """
    from PIL import Image, ImageDraw

    image = Image.fromarray(photo)
    if image.mode == "RGBA":
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    scale = min(1.0, MAX_SIDE / max(image.size))
    heights = [d.box.height for line in page.lines for d in line.digits]
    if heights:
        # Small photos are enlarged until labels can be read.
        wanted = 3 * SMALLEST_LABEL / float(np.median(heights))
        scale = min(max(scale, wanted), MAX_SIDE / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    drawn = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(drawn)
    for number, line in enumerate(page.lines):
        below = [d for other in page.lines[number + 1 :] for d in other.digits]
        for digit in line.digits:
            saw = Image.fromarray(255 - digit.image)
            _draw(drawn, pen, digit, saw, scale, below)
    return np.asarray(drawn)


def _draw(drawn, pen, digit: Digit, saw, scale: float, below: list[Digit]) -> None:  # type: ignore[no-untyped-def]
    from PIL import ImageFont

    colour = UNSURE if digit.rejected else SURE
    x, y, width, height = (round(side * scale) for side in digit.box)
    pen.rectangle((x - 1, y - 1, x + width, y + height), outline=colour)
    size = max(SMALLEST_LABEL, round(0.3 * height))
    label = "?" if digit.rejected else str(digit.digit)
    text = f"{label} {digit.confidence:.2f}" if width > 2 * size else label
    pen.text((x, max(0, y - size - 3)), text, fill=colour, font=ImageFont.load_default(size))
    # No larger than the room above the next line, where there is one.
    tops = [
        round(d.box.y * scale) - size - 4
        for d in below
        if d.box.x < digit.box.x + digit.box.width and digit.box.x < d.box.x + d.box.width
    ]
    room = min([top for top in tops if top > y + height], default=drawn.height) - y - height - 2
    side = max(14, min(round(0.6 * height), room, max(width, 28)))
    drawn.paste(saw.resize((side, side)), (x, y + height + 2))
    pen.rectangle((x - 1, y + height + 1, x + side, y + height + 2 + side), outline=colour)
