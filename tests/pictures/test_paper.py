"""What lies around a digit on a photo costs the model in the box hardly any answer."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

import tenfold
from tenfold.digits import Digits
from tenfold.pictures import canonical

SIDE, SIZE, COUNT = 100, 70, 120
Paper = Callable[[np.random.Generator], np.ndarray]


def told_right(digits: Digits, paper: Paper) -> float:
    """The share of digits told right, drawn in dark ink on papers 100x100, with a little grain."""
    rng = np.random.default_rng(1)
    margin = (SIDE - SIZE) // 2
    seen = []
    for image in digits.images[:COUNT]:
        small = Image.fromarray(image).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
        ink = np.pad(np.asarray(small) / 255, margin)
        ground = paper(rng)
        lit = ground * (1 - ink) + np.minimum(ground, 50) * ink + rng.normal(0, 2, ink.shape)
        seen.append(canonical(np.clip(lit, 0, 255).astype(np.uint8)))
    told = tenfold.pretrained().predict_proba(np.stack(seen)).argmax(axis=1)
    return float((told == digits.known_labels[:COUNT]).mean())


def clean(rng: np.random.Generator) -> np.ndarray:
    return np.full((SIDE, SIDE), 235.0)


def squared(rng: np.random.Generator, grey: float = 160) -> np.ndarray:
    """Squares of a fifth of the digit."""
    pitch = int(rng.integers(12, 17))
    down, right = rng.integers(0, pitch, 2)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    on_line = ((rows + down) % pitch == 0) | ((columns + right) % pitch == 0)
    return np.where(on_line, grey, 235.0)


def pale_squares(rng: np.random.Generator) -> np.ndarray:
    return squared(rng, 200)


def beside_a_desk(rng: np.random.Generator) -> np.ndarray:
    """A dark band along one side."""
    paper = clean(rng)
    paper[: int(rng.integers(5, 18))] = 40
    return np.rot90(paper, int(rng.integers(4)))


def shaded(rng: np.random.Generator) -> np.ndarray:
    """The hard edge of a shadow, anywhere near the middle and at any angle, that takes half the light."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    turn, away = rng.uniform(0, 2 * np.pi), rng.uniform(-0.5, 0.5)
    return np.where(np.cos(turn) * x + np.sin(turn) * y > away, 0.5, 1) * clean(rng)


def circled(rng: np.random.Generator) -> np.ndarray:
    """In a circle of a thin or thick pen, that may have a gap."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    turned = (np.arctan2(y, x) - rng.uniform(0, 2 * np.pi)) % (2 * np.pi)
    on_circle = abs(np.hypot(y, x) - 0.9) < rng.uniform(0.015, 0.06)
    return np.where(on_circle & (turned > rng.uniform(0, 0.5)), 60, clean(rng))


@pytest.mark.parametrize("paper", [squared, pale_squares, beside_a_desk, shaded, circled])
def test_hardly_an_answer_is_lost(small_digits: Digits, paper: Paper):
    # In a shadow that covers most of it, paper is sometimes taken for ink.
    lost = 0.06 if paper is shaded else 0.04
    assert told_right(small_digits, paper) >= told_right(small_digits, clean) - lost


@pytest.mark.parametrize(
    ("size", "strip"), [(40, 20), (40, 60), (80, 20), (80, 120), (240, 20), (240, 60), (240, 120)]
)
def test_a_desk_along_one_side_is_no_digit(small_digits: Digits, size: int, strip: int):
    some = small_digits.take(np.arange(40))
    forms = []
    for number, image in enumerate(some.images):
        ink = np.asarray(Image.fromarray(image[4:24, 4:24]).resize((size, size)), np.float64)
        photo = np.full((800, 800), 250.0)
        photo[300 : 300 + size, 300 : 300 + size] -= 0.9 * ink
        side = [photo[:strip], photo[-strip:], photo[:, :strip], photo[:, -strip:]][number % 4]
        side[:] = 90
        forms.append(canonical(photo.astype(np.uint8)))
    told = tenfold.pretrained().predict_proba(np.stack(forms)).argmax(axis=1)
    assert (told == some.known_labels).mean() >= 0.9


def on_a_desk(photo: np.ndarray) -> np.ndarray:
    """The photo as a bright sheet on a dark table, which is seen on all sides of it."""
    return np.pad(photo, len(photo) // 8, constant_values=70)


def under_a_lamp(photo: np.ndarray) -> np.ndarray:
    """Bright at the top and a third as bright at the corners below."""
    y, x = np.mgrid[-1 : 1 : len(photo) * 1j, -1 : 1 : len(photo) * 1j]
    return photo * (0.3 + 0.7 * np.exp(-((x - 0.2) ** 2) - (y + 0.5) ** 2))


def beside_a_shadow(photo: np.ndarray) -> np.ndarray:
    """A soft shadow over a third of it that takes half the light."""
    x = np.linspace(-1, 1, len(photo))
    return photo * (1 - 0.5 / (1 + np.exp(-(x - 0.4) * 30)))


@pytest.mark.slow
@pytest.mark.parametrize("light", [on_a_desk, under_a_lamp, beside_a_shadow])
@pytest.mark.parametrize("size", [60, 120, 300])
def test_a_digit_far_smaller_than_the_photo_is_found(small_digits: Digits, light, size: int):
    some = small_digits.take(np.arange(40))
    forms = []
    for image in some.images:
        ink = np.asarray(Image.fromarray(image[4:24, 4:24]).resize((size, size)), np.float64)
        photo = np.full((1000, 1000), 245.0)
        photo[480 : 480 + size, 420 : 420 + size] -= 0.85 * ink
        forms.append(canonical(light(photo).astype(np.uint8)))
    told = tenfold.pretrained().predict_proba(np.stack(forms)).argmax(axis=1)
    assert (told == some.known_labels).mean() >= 0.9
