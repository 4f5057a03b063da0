"""The model in the box says "not a digit" of pictures that are none, drawn here by other means than it was shown."""

from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

import tenfold
from tenfold.pictures import canonical

# Letters and signs of Pillow's own font that no digit looks like, however it is written. I, l, O, o, Q, D, S, s, Z, z, B, b,
# g, q, G, T, A and the like do.
UNLIKE = "CEFHKMNPRUVWXYaefhkmnrtuvwx#&@%?$+=*<>^~"
SIDE = 100


def blank() -> Image.Image:
    return Image.new("L", (SIDE, SIDE), 255)


def letters(rng: np.random.Generator) -> Iterator[Image.Image]:
    font = ImageFont.load_default(64)
    for letter in UNLIKE:
        for lean in (-8, 0, 8):
            picture = blank()
            ImageDraw.Draw(picture).text((SIDE / 2, SIDE / 2), letter, 0, font, anchor="mm")
            yield picture.rotate(lean, Image.Resampling.BICUBIC, fillcolor=255)


def scribbles(rng: np.random.Generator) -> Iterator[Image.Image]:
    for _ in range(150):
        picture = blank()
        turns = rng.uniform(15, SIDE - 15, (int(rng.integers(9, 25)), 2))
        points = [(float(x), float(y)) for x, y in turns]
        ImageDraw.Draw(picture).line(points, 0, int(rng.integers(3, 8)), "curve")
        yield picture


def papers(rng: np.random.Generator) -> Iterator[Image.Image]:
    across = np.linspace(0, 1, SIDE)
    for _ in range(50):
        light = (
            rng.uniform(150, 250) + rng.uniform(-60, 0) * across + rng.normal(0, 4, (SIDE, SIDE))
        )
        yield Image.fromarray(np.clip(light, 0, 255).astype(np.uint8))


def noise(rng: np.random.Generator) -> Iterator[Image.Image]:
    for step in (1, 2, 4, 10, 20):
        for _ in range(20):
            small = rng.integers(0, 256, (SIDE // step, SIDE // step), np.uint8)
            yield Image.fromarray(small).resize((SIDE, SIDE), Image.Resampling.NEAREST)


@pytest.mark.parametrize(
    ("draw", "most"), [(letters, 0.12), (scribbles, 0.05), (papers, 0.0), (noise, 0.03)]
)
def test_pictures_that_are_no_digit_are_seldom_taken_for_one(draw, most):
    seen = np.stack([canonical(np.asarray(p)) for p in draw(np.random.default_rng(0))])
    model = tenfold.pretrained()
    accepted = model.predict_proba(seen).max(axis=1) >= model.reject_below
    assert accepted.mean() <= most, f"{int(accepted.sum())} of {len(accepted)}"
