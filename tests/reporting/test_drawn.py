"""Figures say what they show: titles, units, every value drawn; the same figure is the same file."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tenfold.evaluation import CORRUPTIONS, Curve, DigitMap, Explanation, Filters, Robustness
from tenfold.evaluation.explanations import Neighbour
from tenfold.evaluation.robustness import Corrupted
from tenfold.reporting import (
    corruption_figure,
    explanation_figure,
    filters_figure,
    map_figure,
    rendered,
    robustness_figure,
)
from tenfold.statistics import Proportion, summarise


@pytest.fixture
def found():
    def curve(name, unit, strengths):
        told = tuple(Proportion(40 - i, 50) for i in range(len(strengths)))
        return Curve(name, unit, strengths, told)

    return Robustness(
        source="some",
        hash="0" * 64,
        seed=0,
        clean=Proportion(45, 50),
        corruptions=tuple(Corrupted(name, Proportion(i, 50)) for i, name in enumerate(CORRUPTIONS)),
        corruption_error=summarise([0.5, 0.7]),
        placings=(
            curve("shift", "pixels", (0, 1, 2)),
            curve("rotation", "degrees", (-10, 0, 10)),
            curve("scale", "times", (0.5, 1.0)),
        ),
        attacks=(curve("FGSM", "of the range", (0.0, 0.1)),),
    )


@pytest.fixture
def explanation():
    heat = np.linspace(-1, 1, 784, dtype=np.float32).reshape(28, 28)
    near = Neighbour(3, 7, 1.25, np.zeros((28, 28), np.uint8))
    picture = np.zeros((28, 28), np.uint8)
    picture[5:20, 10:14] = 255
    probabilities = np.full(10, 0.02, np.float32)
    probabilities[7] = 0.82
    return Explanation(picture, probabilities, 1, heat, heat, heat, (near, near))


def texts(figure):
    from matplotlib.text import Text

    return [t.get_text() for t in figure.findobj(Text) if t.get_text()]


def test_every_value_of_a_robustness_is_drawn_with_its_unit(found):
    figure = robustness_figure(found, title="mine")
    said = texts(figure)
    assert set(CORRUPTIONS) <= set(said)
    for words in (
        "shift (pixels)",
        "rotation (degrees)",
        "scale (times)",
        "told right (%)",
        "FGSM",
    ):
        assert words in said
    assert "eps (share of a pixel's range)" in said
    shift = figure.axes[1].lines[0]
    # 40, 39 and 38 of 50.
    assert shift.get_xdata().tolist() == [0, 1, 2]
    assert shift.get_ydata() == pytest.approx([80, 78, 76])


def test_what_was_not_attacked_says_so(found):
    assert "not attacked" in texts(robustness_figure(replace(found, attacks=()), title="mine"))


def test_the_gallery_names_and_shows_every_corruption(small_digits):
    figure = corruption_figure(small_digits.images[:20], seed=0)
    assert [axes.get_title() for axes in figure.axes] == ["as they are", *CORRUPTIONS]
    assert figure.axes[0].images[0].get_array().shape == (28, 8 * 28)


def test_an_explanation_is_drawn_with_all_its_parts(explanation):
    figure = explanation_figure(explanation)
    said = texts(figure)
    for words in ("what the model saw", "occlusion", "input gradient", "SmoothGrad", "7, at 1.2"):
        assert words in said
    assert "Told: 7 (82.0%), labelled 1" in said
    heats = {axes.get_title(): axes for axes in figure.axes}
    # In points of per cent, on a scale that has 0 in the middle.
    drawn = heats["occlusion"].images[0]
    assert drawn.get_clim() == (-100, 100)
    assert drawn.get_array()[27, 27] == pytest.approx(100)


def test_without_the_inside_only_occlusion_is_drawn(explanation):
    outside = replace(explanation, slopes=None, smooth=None, neighbours=())
    said = texts(explanation_figure(outside))
    assert "occlusion" in said
    assert "SmoothGrad" not in said


@pytest.mark.parametrize(("count", "shown"), [(5, 5), (70, 64)])
def test_filters_are_shown_on_one_scale_and_how_many_is_said(count, shown):
    pictures = np.random.default_rng(0).normal(size=(count, 3, 3)).astype(np.float32)
    figure = filters_figure(Filters("conv2d_1", pictures), title="mine")
    images = [axes.images[0] for axes in figure.axes if axes.images]
    assert len(images) == shown
    assert len({image.get_clim() for image in images}) == 1
    title = f"mine: {count} filters of conv2d_1, 3x3"
    assert title + ("" if shown == count else f", the first {shown}") in texts(figure)


def test_a_map_marks_what_was_told_wrongly():
    labels = np.arange(10, dtype=np.uint8)
    told = labels.copy()
    told[4] = 9
    places = np.stack([labels, labels], axis=1).astype(float)
    figure = map_figure(DigitMap(places, labels, told, "by hand, seed 3"), title="mine")
    *_, crosses = figure.axes[0].collections
    assert crosses.get_offsets().tolist() == [[4, 4]]
    assert "told 9" in texts(figure)
    assert "mine: 10 pictures, 1 told wrongly\nby hand, seed 3" in texts(figure)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["png", "svg"])
def test_the_same_figure_is_the_same_file(form, found):
    first, again = (rendered(robustness_figure(found, title="mine"), form) for _ in range(2))
    assert first == again


def test_a_png_is_a_picture_of_the_asked_size(found):
    with Image.open(io.BytesIO(rendered(robustness_figure(found, title="mine"), "png"))) as picture:
        assert picture.size == (13 * 130, 7 * 130)
