"""The protocol, held: nobody sees a test image before the weights stand, and every look is counted.

The test part used here asks a guard whenever its pixels or labels are touched; its hash and its length
say nothing about what the digits look like, so these are free.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tenfold import verbs
from tenfold.digits import Digits, Parts
from tenfold.evaluation import judgement_of
from tenfold.layers import Dense
from tenfold.network import Network
from tenfold.recipe import Adam, EarlyStopping, Recipe
from tenfold.training import open_run, read_record, resume, train

EPOCHS = 3
RECIPE = Recipe(Network(Dense(10)), engine="numpy", optimizer=Adam(0.01), epochs=EPOCHS)


class Guarded(Digits):
    """Digits that call `guard` before anybody touches a pixel or a label; it may raise."""

    guard: Callable[[], None]

    def __getattribute__(self, name: str):
        if name in ("images", "labels"):
            object.__getattribute__(self, "__dict__").get("guard", lambda: None)()
        return super().__getattribute__(name)

    def __len__(self) -> int:
        return len(object.__getattribute__(self, "__dict__")["images"])


def guarded(digits: Digits, guard: Callable[[], None]) -> Guarded:
    made = Guarded(digits.images, digits.labels, digits.source)
    made.hash  # noqa: B018  computed while it is free, and kept
    object.__setattr__(made, "guard", guard)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def parts(small_digits: Digits, folder: Path) -> Parts:
    """400 digits to learn from, 200 for the test, guarded until the record says that they are opened."""

    def guard() -> None:
        opened = read_record(folder)["test_openings"] > 0
        if not opened or len((folder / "history.jsonl").read_text().splitlines()) < EPOCHS:
            raise AssertionError("a test image was touched before the test part was opened")

    test = guarded(small_digits.take(np.arange(400, 600)), guard)
    return Parts(small_digits.take(np.arange(400)), test)


@pytest.mark.parametrize("engine", ["numpy", pytest.param("keras", marks=pytest.mark.slow)])
def test_no_test_image_is_touched_before_the_last_epoch_is_done_and_the_look_is_counted(
    parts, folder, engine
):
    recipe = Recipe(RECIPE.network, engine=engine, optimizer=RECIPE.optimizer, epochs=EPOCHS)
    run = train(recipe, parts, folder=folder)
    assert run.record["test_openings"] == 1
    assert run.test.total == 200


@pytest.mark.parametrize("name", ["images", "labels", "known_labels"])
def test_the_guard_catches_whoever_looks_while_training(parts, folder, name):
    with pytest.raises(AssertionError, match="before the test part was opened"):
        train(RECIPE, parts, folder=folder, on_epoch=lambda _: getattr(parts.test, name))


def test_early_stopping_does_not_look_either(parts, folder):
    recipe = Recipe(RECIPE.network, engine="numpy", early_stopping=EarlyStopping(9), epochs=EPOCHS)
    assert train(recipe, parts, folder=folder).record["test_openings"] == 1


def test_the_test_part_changes_no_weight(parts, folder, small_digits):
    train(RECIPE, parts, folder=folder)
    other = Parts(parts.train, small_digits.take(np.arange(600, 700)))
    train(RECIPE, other, folder=folder.with_name("other"))
    weights = [
        (place / "model" / "weights.safetensors").read_bytes()
        for place in (folder, folder.with_name("other"))
    ]
    assert weights[0] == weights[1]


def test_interrupted_and_resumed_it_is_opened_once_and_a_finished_run_not_again(parts, folder):
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(RECIPE, parts, folder=folder, on_epoch=interrupt)
    assert read_record(folder)["test_openings"] == 0
    assert resume(folder, parts).record["test_openings"] == 1
    assert resume(folder, parts).record["test_openings"] == 1
    assert open_run(folder).record["test_openings"] == 1


def test_a_look_that_ended_badly_was_a_look(parts, folder, monkeypatch):
    def look_and_die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("tenfold.training.finish.write_predictions", look_and_die)
        with pytest.raises(KeyboardInterrupt):
            train(RECIPE, parts, folder=folder)
    assert read_record(folder)["test_openings"] == 1
    assert resume(folder, parts).record["test_openings"] == 2


def test_each_evaluation_of_a_run_on_its_own_test_part_is_one_more_look(parts, folder):
    train(RECIPE, parts, folder=folder)
    for openings in (2, 3):
        verbs.evaluate(folder, parts.test)
        assert open_run(folder).record["test_openings"] == openings
    verbs.evaluate(folder, parts.train)
    assert open_run(folder).record["test_openings"] == 3


def test_without_a_test_part_nothing_is_opened_and_nothing_suspected(parts, folder):
    record = train(RECIPE, Parts(parts.train, None), folder=folder).record
    assert (record["test_openings"], record["results"]["test"], record["warnings"]) == (0, None, [])


def test_an_honest_run_is_not_suspected_and_other_digits_have_no_corrected_labels(parts, folder):
    run = train(RECIPE, parts, folder=folder)
    assert run.warnings == ()
    assert run.record["results"]["test"]["corrected"] is None
    assert run.corrected is None


def test_test_images_among_the_training_images_are_on_record(small_digits, folder):
    test = small_digits.take(np.arange(390, 600))
    run = train(RECIPE, Parts(small_digits.take(np.arange(400)), test), folder=folder)
    (sentence,) = open_run(folder).warnings
    assert sentence.startswith("10 of these 210 images were in the training data")
    assert run.warnings == open_run(folder).warnings


def test_a_flawless_thousand_is_on_record_as_suspicious(small_digits, folder, monkeypatch):
    def told_flawlessly(_: object, digits: Digits) -> object:
        return judgement_of(np.eye(10, dtype=np.float32)[digits.known_labels], digits.known_labels)

    monkeypatch.setattr("tenfold.training.finish.judge", told_flawlessly)
    inverted = Digits(255 - small_digits.images, small_digits.labels, "the same, inverted")
    run = train(RECIPE, Parts(small_digits, inverted), folder=folder)
    (sentence,) = run.warnings
    assert "100.00% (1,000/1,000; " in sentence
