"""The page about two runs that were really trained: what only their models can say; then the page in a real browser."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tenfold.digits import Digits, Parts
from tenfold.evaluation import WhiteBox, judge, robustness_of
from tenfold.modelfile import load_model
from tenfold.recipes import RECIPES
from tenfold.reporting import by_chance, comparison_page
from tenfold.reporting.closer import ATTACKED, PGD_STEPS, PICTURES
from tenfold.training import Run, train

MOST_BYTES = 3_000_000


@pytest.fixture(scope="module")
def parts(small_digits: Digits) -> Parts:
    return Parts(small_digits.take(np.arange(600)), small_digits.take(np.arange(600, 1000)))


@pytest.fixture(scope="module")
def runs(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    folder = tmp_path_factory.mktemp("runs")
    return [
        train(
            replace(RECIPES["seed-numpy"].recipe, epochs=epochs),
            parts,
            folder=folder / name,
            seed=seed,
        )
        for name, epochs, seed in (("short", 3, 0), ("long", 8, 1))
    ]


@pytest.fixture(scope="module")
def page(runs: list[Run], parts: Parts) -> str:
    return comparison_page(runs, parts)


@pytest.fixture(scope="module")
def text(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("&nbsp;", " ").split())


def test_images_that_one_alone_told_rightly_are_shown(runs: list[Run], parts: Parts, page: str):
    right = [judge(run.classifier, parts.test).right for run in runs]
    differ = np.flatnonzero(right[0] != right[1])
    assert len(differ) > 5
    assert f"{len(differ)} test images were told rightly by some" in page
    shown = [int(row) for row in re.findall(r"row (\d+)</span></figcaption>", page)]
    assert len(shown) == min(24, len(differ))
    assert set(shown) <= set(differ.tolist())


@pytest.mark.slow
def test_every_model_was_asked_about_the_same_pictures(runs: list[Run], parts: Parts, text: str):
    some = by_chance(parts.test, PICTURES, 0)
    cells = []
    for run in runs:
        inside = load_model(run.folder / "model")
        found = robustness_of(
            run.classifier,
            some,
            box=WhiteBox(inside.members, shifts=inside.shifts),
            attacked=ATTACKED,
            pgd_steps=PGD_STEPS,
        )
        cells.append([f"{100 * told.share:.1f}%" for _, told in found.corruptions])
        names = [name for name, _ in found.corruptions]
        assert f"The first {found.attacks[0].told[0].total} were also attacked" in text
    for name, *both in zip(names, *cells, strict=True):
        assert f"{name} {' '.join(both)}" in text


def test_confidences_and_findings_stand_for_each(runs: list[Run], parts: Parts, text: str):
    losses = " ".join(f"{judge(run.classifier, parts.test).log_loss:.4f}" for run in runs)
    assert f"log loss (nats an image) {losses}" in text
    wrong = " ".join(f"{int((~judge(r.classifier, parts.test).right).sum())} of 400" for r in runs)
    assert f"wrong among the surest 100% {wrong}" in text
    assert "Is anything wrong?" in text
    assert text.count("occlusion") == 2 * len(runs)


@pytest.mark.slow
def test_a_run_on_other_digits_stands_in_the_tables_alone(
    runs: list[Run], parts: Parts, tmp_path: Path
):
    others = Parts(parts.train.take(np.arange(500)), parts.test)
    recipe = replace(RECIPES["seed-numpy"].recipe, epochs=1)
    strange = train(recipe, others, folder=tmp_path / "strange", seed=0)
    page = comparison_page([*runs, strange], parts)
    assert "What follows was asked of short, long alone" in page
    assert page.count("<h3>strange</h3>") == 1  # its confusion matrix
    assert "How sure they are" not in comparison_page(runs)


@pytest.mark.slow
def test_equal_input_gives_equal_bytes(runs: list[Run], parts: Parts, page: str):
    assert comparison_page(runs, parts) == page
    assert len(page.encode()) < MOST_BYTES


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_nothing_is_cut_off_and_a_screen_reader_finds_no_fault(
    browser: Any, page: str, tmp_path: Path, scheme: str, width: int
):
    from axe_playwright_python.sync_playwright import Axe

    place = tmp_path / "both.html"
    place.write_text(page)
    size = {"width": width, "height": 800}
    context = browser.new_context(viewport=size, color_scheme=scheme, offline=True)
    shown = context.new_page()
    said: list[str] = []
    shown.on("console", lambda message: said.append(message.text))
    shown.goto(place.as_uri())
    assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(shown).response["violations"]
    context.close()
    assert said == []
    assert [fault["id"] for fault in found if fault["impact"] in ("serious", "critical")] == []
