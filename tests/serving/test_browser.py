"""A person at the page, in a real browser: mouse, touch, keyboard, a photo, a narrow screen, a hostile page.

Needs Debian's chromium, or another one on the PATH.
"""

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

pytestmark = pytest.mark.slow

# A 7 on the sheet, in its units: 1000 wide, 750 high.
SEVEN = ((350, 180), (650, 180), (600, 300), (540, 430), (500, 570))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Where a service with the model in the box listens."""
    command = [str(Path(sys.executable).with_name("tenfold")), "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as serving:
        assert serving.stdout is not None
        yield serving.stdout.readline().strip()
        serving.terminate()


@pytest.fixture
def open_page(browser, url) -> Iterator[Any]:
    """Opens the page; afterwards nothing may have been said on the console, nor refused by the policy."""
    contexts, said = [], []

    def opened(**settings: Any) -> Any:
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.add_init_script(
            "addEventListener('securitypolicyviolation', e => console.error(e.violatedDirective))"
        )
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    # The browser itself logs every refusal: of a file that is no picture, and on a machine that is busy
    # otherwise, where the page asks again.
    assert [
        text for text in said if "status of 503" not in text and "status of 422" not in text
    ] == []


def on_sheet(page: Any, points: Any) -> list[tuple[float, float]]:
    """Places on the sheet -> places on the screen."""
    box = page.locator("#sheet").bounding_box()
    scale = box["width"] / 1000
    return [(box["x"] + x * scale, box["y"] + y * scale) for x, y in points]


def draw(page: Any, points: Any = SEVEN) -> None:
    first, *others = on_sheet(page, points)
    page.mouse.move(*first)
    page.mouse.down()
    for place in others:
        page.mouse.move(*place, steps=6)
    page.mouse.up()


def wait_for(page: Any, selector: str, text: str) -> None:
    page.wait_for_function(
        "([selector, text]) => document.querySelector(selector).textContent.includes(text)",
        arg=[selector, text],
        timeout=30_000,
    )


def shares(page: Any) -> list[float]:
    style = "bars => bars.map(bar => Number(bar.style.getPropertyValue('--share')))"
    return page.eval_on_selector_all(".bar div", style)


def photo(folder: Path, digits: str, *, height: int) -> Path:
    """A photo of strokes that are sevens and ones, so many pixels high, on shaded paper."""
    unit = height / 100
    width = round(unit * (30 + 60 * len(digits)))
    ground = np.linspace(210, 250, width).astype(np.uint8)[None, :].repeat(height, axis=0)
    image = Image.fromarray(ground)
    pen = ImageDraw.Draw(image)
    for place, digit in enumerate(digits):
        left, middle, right = (unit * (30 + 60 * place + offset) for offset in (0, 17, 32))
        top, bottom = unit * 22, unit * 78
        line = (
            [(left, top), (right, top), (middle, bottom)]
            if digit == "7"
            else [(middle, top), (middle, bottom)]
        )
        pen.line(line, fill=40, width=round(5 * unit), joint="curve")
    path = folder / "photo.png"
    image.save(path)
    return path


def test_a_seven_drawn_with_the_mouse_is_a_seven(open_page, tmp_path):
    page = open_page(viewport={"width": 1280, "height": 800})
    assert "Nothing drawn" in page.inner_text("#sentence")
    draw(page)
    wait_for(page, "#digit", "7")
    assert "sure" in page.inner_text("#sentence")
    given = shares(page)
    assert int(np.argmax(given)) == 7
    assert sum(given) == pytest.approx(1, abs=1e-5)
    # The picture that the model saw has ink, and none at its edges' corners.
    seen = np.array(page.evaluate(
        "[...document.querySelector('#seen').getContext('2d').getImageData(0, 0, 28, 28).data]"
    )).reshape(28, 28, 4)[:, :, 0]  # fmt: skip
    assert seen.max() > 200
    assert seen[0, 0] == seen[27, 27] == 0
    page.screenshot(path=tmp_path / "mouse.png")


def test_a_seven_drawn_with_a_finger_is_a_seven(open_page, tmp_path):
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    touch = page.context.new_cdp_session(page)
    places = on_sheet(
        page, [point for a, b in zip(SEVEN, SEVEN[1:], strict=False) for point in between(a, b)]
    )
    for kind, point in [
        ("touchStart", places[0]),
        *(("touchMove", p) for p in places),
        ("touchEnd", None),
    ]:
        points = [] if point is None else [{"x": point[0], "y": point[1]}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    wait_for(page, "#digit", "7")
    assert page.evaluate("scrollY") == 0
    page.screenshot(path=tmp_path / "touch.png")


def between(a, b):
    return [(a[0] + (b[0] - a[0]) * t / 8, a[1] + (b[1] - a[1]) * t / 8) for t in range(9)]


def test_with_the_keyboard_alone_a_seven_is_drawn_undone_and_cleared(open_page):
    page = open_page()
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "sheet":
            break
    assert page.evaluate("document.activeElement.matches(':focus-visible')")
    for key, times in (("ArrowUp", 8), ("ArrowLeft", 6)):
        for _ in range(times):
            page.keyboard.press(key)
    page.keyboard.press("Space")
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    for _ in range(16):
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Shift+ArrowLeft")
        page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Space")
    wait_for(page, "#digit", "7")
    wait_for(page, "#spoken", "7,")
    page.keyboard.press("Control+z")
    wait_for(page, "#sentence", "Nothing drawn")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.keyboard.press("Delete")
    wait_for(page, "#sentence", "Nothing drawn")
    assert page.is_disabled("#clear")


def test_a_scribble_is_not_a_digit(open_page):
    page = open_page()
    rng = np.random.default_rng(0)
    draw(page, rng.uniform((150, 100), (850, 650), (60, 2)).tolist())
    wait_for(page, "#sentence", "Not a digit")
    assert page.inner_text("#digit") == "?"


def test_a_photo_that_is_dropped_is_read_and_marked(open_page, tmp_path):
    page = open_page(viewport={"width": 1280, "height": 800})
    content = list(photo(tmp_path, "717", height=400).read_bytes())
    page.evaluate(
        """content => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(content)], "<img src=x onerror=alert(1)>.png", {type: "image/png"}));
            document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
        }""",
        content,
    )
    wait_for(page, "#summary", "3 digits in 1 line")
    assert page.locator(".tile b").all_inner_texts() == ["7", "1", "7"]
    assert page.is_checked("input[value=several]")
    page.screenshot(path=tmp_path / "photo.png")
    page.click("#undo")
    wait_for(page, "#summary", "Nothing drawn")


def test_a_photo_that_is_chosen_can_be_asked_for_as_one_digit(open_page, tmp_path):
    page = open_page()
    page.set_input_files("#file", photo(tmp_path, "7", height=200))
    wait_for(page, "#digit", "7")
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture at all")
    page.set_input_files("#file", broken)
    wait_for(page, "#summary", "expected a picture")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_is_cut_off_and_targets_are_large_enough(open_page, tmp_path, scheme):
    page = open_page(viewport={"width": 320, "height": 640}, color_scheme=scheme)
    draw(page)
    wait_for(page, "#digit", "7")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    for selector in ("#undo", "#clear", ".button span", ".modes span"):
        for box in (each.bounding_box() for each in page.locator(selector).all()):
            # WCAG 2.2, target size (minimum).
            assert box["width"] >= 24, selector
            assert box["height"] >= 24, selector
    page.screenshot(path=tmp_path / f"{scheme}.png", full_page=True)


@pytest.fixture
def other_site() -> Iterator[str]:
    """The address of a page that does not belong to the service."""

    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>other</title>")

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other) as other:
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        yield f"http://localhost:{other.server_port}/"
        other.shutdown()
        thread.join()


FETCH = """async ([url, method, mode]) => {
    try {
        const body = method === "POST" ? new Blob(["x"], {type: "text/plain"}) : undefined;
        const answer = await fetch(url, {method, mode, body});
        return [answer.type, answer.status, (await answer.text()).length];
    } catch (error) { return ["refused"]; }
}"""


def test_a_page_on_another_site_can_neither_ask_nor_read_nor_frame(browser, url, other_site):
    page = browser.new_page()
    answers: list[int] = []
    page.on("response", lambda answer: answer.url.startswith(url) and answers.append(answer.status))
    page.goto(other_site)
    for path in ("", "api/predict", "openapi.json", "api/health/live"):
        for method in ("GET", "POST"):
            assert page.evaluate(FETCH, [url + path, method, "cors"]) == ["refused"]
            # Either the browser keeps the answer, or what it gives of it is nothing.
            found = page.evaluate(FETCH, [url + path, method, "no-cors"])
            assert found in (["refused"], ["opaque", 0, 0])
    page.evaluate(
        """url => new Promise(done => {
            const frame = document.createElement("iframe");
            frame.onload = done;
            frame.src = url;
            document.body.append(frame);
        })""",
        url,
    )
    # What the frame shows is the browser's own refusal, or nothing yet; never the service.
    assert {frame.url for frame in page.frames[1:]} <= {"chrome-error://chromewebdata/", ""}
    assert answers
    assert set(answers) == {403}
    page.close()


def test_a_name_that_was_rebound_to_this_machine_gets_nothing(browser, url):
    page = browser.new_page()
    rebound = url.replace("127.0.0.1", "rebound.example")
    answer = page.goto(rebound)
    assert answer.status == 421
    # To the browser this is the page's own site: it may read all that it is given.
    for path in ("", "api/health/live", "openapi.json"):
        kind, status, _ = page.evaluate(FETCH, [rebound + path, "GET", "cors"])
        assert (kind, status) == ("basic", 421)
    page.close()
