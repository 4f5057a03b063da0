"""The page that `tenfold export --format web` writes, opened from the disk in a real browser.

Golden: the same drawings and pictures through the page's JavaScript and through Python. Needs Debian's chromium, or
another one on the PATH.
"""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tenfold.data import load
from tenfold.exports import export
from tenfold.modelfile import pretrained
from tenfold.pictures import canonical

pytestmark = pytest.mark.slow

# Strokes of digits on the sheet, 200 x 200, as a person draws them.
SEVEN = [[(50, 40), (150, 40), (120, 100), (90, 165)]]
DRAWINGS = {
    7: SEVEN,
    1: [[(100, 30), (100, 170)]],
    4: [[(70, 30), (60, 100), (140, 100)], [(125, 60), (125, 170)]],
    0: [[(100, 30), (60, 60), (55, 130), (95, 170), (140, 135), (145, 70), (102, 30)]],
}
PICTURE, MARGIN = 224, 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(form="web", out=tmp_path_factory.mktemp("web") / "page")


@pytest.fixture
def page(browser, folder) -> Iterator[Any]:
    """The page; afterwards nothing may have been said on the console, and nothing asked for but its own files."""
    said, asked = [], []
    context = browser.new_context(viewport={"width": 400, "height": 800})
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((folder / "index.html").as_uri())
    yield page
    context.close()
    assert said == []
    assert {Path(url).name for url in asked} <= {path.name for path in folder.iterdir()}
    assert all(url.startswith(folder.as_uri()) for url in asked)


def drawn(
    strokes: list[list[tuple[float, float]]], pen: float, *, size: float = 1.0
) -> NDArray[np.uint8]:
    """Strokes on the sheet, as Pillow draws them: uint8 (224, 224), dark on white, edges smoothed."""
    fine = Image.new("L", (4 * PICTURE, 4 * PICTURE), 255)
    pencil = ImageDraw.Draw(fine)
    for stroke in strokes:
        points = [(4 * (MARGIN + size * x), 4 * (MARGIN + size * y)) for x, y in stroke]
        pencil.line(points, fill=0, width=round(4 * pen), joint="curve")
        for x, y in (points[0], points[-1]):
            pencil.ellipse((x - 2 * pen, y - 2 * pen, x + 2 * pen, y + 2 * pen), fill=0)
    return np.array(fine.resize((PICTURE, PICTURE), Image.Resampling.BOX))


def canonical_in(page: Any, picture: NDArray[np.uint8]) -> NDArray[np.int64]:
    # As text: 50,000 numbers one by one take a third of a second to hand over.
    told = page.evaluate(
        "text => [...canonical({ width: 224, height: 224, "
        "values: Uint8Array.from(atob(text), letter => letter.charCodeAt(0)) }).values]",
        b64encode(picture.tobytes()).decode(),
    )
    return np.array(told).reshape(28, 28)


@pytest.mark.parametrize("size", [1.0, 0.55, 0.2, 0.1])
@pytest.mark.parametrize("pen", [4, 14, 26])
def test_a_drawing_has_the_canonical_form_that_python_gives_it(page, pen, size):
    for strokes in DRAWINGS.values():
        picture = drawn(strokes, pen, size=size)
        ours = canonical(picture)
        assert ours.max() > 100
        # One level of 255 for sums of floats in another order.
        assert np.abs(canonical_in(page, picture) - ours).max() <= 1


def test_scribbles_by_chance_have_it_too(page):
    rng = np.random.default_rng(0)
    for _ in range(120):
        strokes = [
            [tuple(p) for p in rng.uniform(15, 185, (rng.integers(2, 6), 2))]
            for _ in range(rng.integers(1, 4))
        ]
        picture = drawn(strokes, rng.uniform(3, 26), size=rng.uniform(0.08, 1.0))
        assert np.abs(canonical_in(page, picture) - canonical(picture)).max() <= 1


def test_what_is_taken_away_during_a_stroke_stays_away(page):
    frame = page.locator("#sheet").bounding_box()
    at = lambda share: (frame["x"] + share * frame["width"], frame["y"] + share * frame["height"])  # noqa: E731
    for key in ("Delete", "Control+z"):
        page.mouse.move(*at(0.2))
        page.mouse.down()
        page.mouse.move(*at(0.4), steps=4)
        page.keyboard.press(key)
        page.mouse.move(*at(0.8), steps=4)
        page.mouse.up()
        page.wait_for_function("document.getElementById('digit').textContent === 'Draw a digit.'")


def test_specks_broken_strokes_and_circles_are_taken_as_python_takes_them(page):
    five = [[(60, 40), (60, 95), (120, 95), (130, 150), (60, 165)], [(72, 38), (140, 38)]]
    turns = np.linspace(0, 6, 60)
    circle = [(float(100 + 90 * np.cos(turn)), float(100 + 90 * np.sin(turn))) for turn in turns]
    for beside in ([], [[(190, 190), (191, 190)]], [[(20, 180), (180, 180)]], [circle]):
        picture = drawn([*five, *beside], 5)
        if beside == [circle]:
            assert np.array_equal(canonical(picture), canonical(drawn(five, 5)))
        assert np.abs(canonical_in(page, picture) - canonical(picture)).max() <= 1


def test_nothing_drawn_is_all_black(page):
    assert canonical_in(page, np.full((224, 224), 255, np.uint8)).max() == 0


def test_the_network_in_the_page_says_what_the_model_says(page):
    images = load("mnist5k").test.images[:25]
    told = page.evaluate("all => all.map(probabilities)", images.reshape(25, -1).tolist())
    # Sums of float32 products in another order; see check_parity for what is allowed.
    np.testing.assert_allclose(told, pretrained().predict_proba(images), atol=1e-5)


def draw(page: Any, strokes: list[list[tuple[float, float]]]) -> None:
    box = page.locator("#sheet").bounding_box()
    scale = box["width"] / 200
    for stroke in strokes:
        places = [(box["x"] + x * scale, box["y"] + y * scale) for x, y in stroke]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=5)
        page.mouse.up()


def wait_for(page: Any, text: str) -> None:
    page.wait_for_function(
        "text => document.querySelector('#digit').textContent === text", arg=text
    )


def test_a_person_draws_undoes_and_clears(page):
    wait_for(page, "Draw a digit.")
    draw(page, SEVEN)
    wait_for(page, "7")
    shares = page.eval_on_selector_all("meter", "bars => bars.map(bar => bar.value)")
    assert np.argmax(shares) == 7
    assert sum(shares) == pytest.approx(1)
    draw(
        page,
        [
            [(30, 30), (170, 170)],
            [(30, 170), (170, 30)],
            [(100, 20), (100, 180)],
            [(20, 100), (180, 100)],
        ],
    )
    wait_for(page, "not a digit")
    for _ in range(4):
        page.click("#undo")
    wait_for(page, "7")
    page.click("#clear")
    wait_for(page, "Draw a digit.")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_1_is_drawn_with_the_keyboard_alone(page):
    page.focus("#sheet")
    for _ in range(10):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    for _ in range(20):
        page.keyboard.press("ArrowDown")
    wait_for(page, "1")
