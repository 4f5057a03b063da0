"""What the page says beyond counts, of a network that was really trained; then the page in a real browser."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tenfold.digits import Digits, Parts
from tenfold.evaluation import judge
from tenfold.recipes import RECIPES
from tenfold.reporting import write_report
from tenfold.reporting.closer import KEPT, PICTURES, closer_look
from tenfold.training import Run, train

MOST_BYTES = 3_000_000


@pytest.fixture(scope="module")
def parts(small_digits: Digits) -> Parts:
    return Parts(small_digits.take(np.arange(600)), small_digits.take(np.arange(600, 1000)))


@pytest.fixture(scope="module")
def run(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Run:
    recipe = replace(RECIPES["seed-numpy"].recipe, epochs=4)
    folder = tmp_path_factory.mktemp("runs") / "by-hand"
    return write_report(train(recipe, parts, folder=folder, seed=0), parts)


@pytest.fixture(scope="module")
def text(run: Run) -> str:
    page = (run.folder / "report.html").read_text()
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("&nbsp;", " ").split())


def test_errors_among_the_surest_answers_are_counted(run: Run, parts: Parts, text: str):
    judged = judge(run.classifier, parts.test)
    order = np.argsort(-judged.confidences, kind="stable")
    for share in KEPT:
        kept = order[: int(np.ceil(share * len(order) - 1e-9))]
        wrong = int((~judged.right[kept]).sum())
        assert (
            f"{100 * share:.4g}% {judged.confidences[kept].min():.4f} {wrong} of {len(kept)}"
            in text
        )


def test_every_section_stands_there_with_what_was_measured(run: Run, parts: Parts, text: str):
    look = closer_look(run, parts)
    assert look is not None
    assert look.robustness.clean.total == min(PICTURES, len(parts.test))
    for name, told in look.robustness.corruptions:
        assert f"{name} {100 * told.share:.1f}%" in text
    calibration = look.judged.calibration
    assert f"differ by {100 * calibration.error:.2f} points" in text
    assert f"Log loss {calibration.log_loss:.4f} nats" in text
    assert len(look.seen) == 3
    wrong = np.flatnonzero(~look.judged.right)
    surest = wrong[look.judged.confidences[wrong].argmax()]
    assert look.seen[0].alt.startswith(f"Image {surest}: labelled {parts.test.labels[surest]},")
    for seen in look.seen:
        assert " ".join(seen.sentences) in text
    for finding in look.diagnosis.findings:
        assert finding.title.capitalize() in text


def test_a_fault_is_named_on_the_page(parts: Parts, tmp_path: Path):
    mixed = np.random.default_rng(0).permutation(parts.train.known_labels)
    shuffled = Parts(Digits(parts.train.images, mixed, "shuffled"), parts.test)
    recipe = replace(RECIPES["seed-numpy"].recipe, epochs=2)
    run = train(recipe, shuffled, folder=tmp_path / "run", seed=0)
    page = (write_report(run, shuffled).folder / "report.html").read_text()
    assert "Labels do not belong to their images" in page
    assert "No fault was found" not in page


def test_without_a_test_part_the_validation_images_are_asked_about(parts: Parts, tmp_path: Path):
    alone = Parts(parts.train, None)
    recipe = replace(RECIPES["seed-numpy"].recipe, epochs=2)
    run = write_report(train(recipe, alone, folder=tmp_path / "run", seed=0), alone)
    page = (run.folder / "report.html").read_text()
    look = closer_look(run, alone)
    assert look is not None
    assert look.judged.accuracy == run.validation
    assert f"{len(look.judged.labels)} validation images, taken by chance" in page
    for heading in ("Where it errs", "How sure it is", "What it looks at", "Is anything wrong?"):
        assert heading in page
    assert "test images" not in page


def test_a_mistake_stands_with_both_probabilities(run: Run, parts: Parts, text: str):
    judged = judge(run.classifier, parts.test)
    wrong = np.flatnonzero(~judged.right)
    row = wrong[judged.confidences[wrong].argmax()]
    told, label = judged.predicted_labels[row], judged.labels[row]
    both = [f"{one}: {100 * judged.probabilities[row, one]:.1f}%" for one in (told, label)]
    assert f"told {told} {both[0]} {both[1]} row {row}" in text


@pytest.mark.slow
def test_equal_input_gives_equal_bytes(run: Run, parts: Parts):
    before = (run.folder / "report.html").read_bytes()
    assert (write_report(run, parts).folder / "report.html").read_bytes() == before
    assert len(before) < MOST_BYTES


@pytest.fixture(params=[("light", 1280), ("dark", 1280), ("light", 768), ("dark", 360)], ids=str)
def page(request: Any, browser: Any, run: Run) -> Iterator[Any]:
    """The page on a screen; afterwards nothing may have been asked for or complained of."""
    scheme, width = request.param
    said: list[str] = []
    asked: list[str] = []
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True
    )
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    place = (run.folder / "report.html").as_uri()
    page.goto(place)
    yield page
    context.close()
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [place]


@pytest.mark.slow
def test_nothing_is_cut_off_and_a_screen_reader_finds_no_fault(page: Any):
    from axe_playwright_python.sync_playwright import Axe

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(page).response["violations"]
    heavy = [fault for fault in found if fault["impact"] in ("serious", "critical")]
    assert heavy == [], [(fault["id"], fault["nodes"][0]["html"]) for fault in heavy]
    pictures = page.locator("img")
    assert pictures.count() > 10
    assert pictures.evaluate_all("all => all.every(one => one.naturalWidth === 28 && one.alt)")


@pytest.mark.slow
def test_it_prints_on_a4(browser: Any, run: Run):
    page = browser.new_page()
    page.goto((run.folder / "report.html").as_uri())
    printed = page.pdf(format="A4")
    page.close()
    assert printed.startswith(b"%PDF")
    assert 3 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 14


@pytest.mark.slow
def test_paper_is_white_whatever_the_screen_is(browser: Any, run: Run):
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto((run.folder / "report.html").as_uri())
    page.emulate_media(media="print", color_scheme="dark")
    ink, ground = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    context.close()
    assert (ink, ground) == ("rgb(28, 29, 33)", "rgb(255, 255, 255)")


@pytest.mark.slow
def test_the_words_of_a_chart_can_be_read_on_a_phone(browser: Any, run: Run):
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.goto((run.folder / "report.html").as_uri())
    # What the viewBox shrinks is shrunk with it.
    smallest = page.evaluate(
        "Math.min(...[...document.querySelectorAll('svg text')].map(t => "
        "parseFloat(getComputedStyle(t).fontSize) * t.ownerSVGElement.clientWidth / 440))"
    )
    page.close()
    assert smallest >= 12
