"""Pages drawn from digits that the model in the box knows when each stands alone, and how they are read."""

import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from tenfold import pretrained, read
from tenfold.digits import Digits
from tenfold.reading.lattice import image_of
from tenfold.reading.pieces import joined, pieces_of

Photo = NDArray[np.uint8]


def _drawing() -> ModuleType:
    """The module beside this file that draws pages; tests are no package to import it from."""
    name = "tests_reading_drawing"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("drawing.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test of `paper` runs on every kind of page."""
    if "paper" in metafunc.fixturenames:
        metafunc.parametrize("paper", list(_drawing().PAPERS))


@pytest.fixture
def drawing() -> ModuleType:
    """The module that draws pages."""
    return _drawing()


@pytest.fixture(scope="session")
def known(small_digits: Digits) -> Digits:
    """Digits that are told right and surely when they are written with a pen and stand alone: what is then
    misread is misread by `reading`."""
    some = small_digits.take(np.arange(200))
    inks = [np.pad(_drawing().written(i, 40, 3.0), 2).astype(np.float32) for i in some.images]
    saw = np.stack([image_of(joined(pieces_of(ink, ink > 0.1))) for ink in inks])
    probabilities = pretrained().predict_proba(saw)
    right = probabilities.argmax(axis=1) == some.known_labels
    return some.take(np.flatnonzero(right & (probabilities.max(axis=1) > 0.99)))


@pytest.fixture
def page(drawing: ModuleType, known: Digits) -> Callable[..., Photo]:
    """Draws strings as a photo: page(["12", "345"], seed=1, rulings="ruled")."""

    def drawn(strings: Sequence[str], *, seed: int = 0, **style: object) -> Photo:
        rng = np.random.default_rng(seed)
        glyphs = drawing.chosen(strings, known.images, known.known_labels, rng)
        photo: Photo = drawing.draw(glyphs, drawing.Style(**style), rng)
        return photo

    return drawn


@pytest.fixture
def lines() -> Callable[[Photo], list[str]]:
    """What is read on a photo, line by line."""

    def text(photo: Photo) -> list[str]:
        return [line.text for line in read(photo).lines]

    return text
