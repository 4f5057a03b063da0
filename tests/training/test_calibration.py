"""How sure a model may be: temperature and rejection, against laws and planted faults."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tenfold.classifiers import Shifted
from tenfold.digits import Digits, Parts, split
from tenfold.engine import NO_DIGIT, counted_labels, targets_for
from tenfold.errors import UsageError
from tenfold.evaluation import judge
from tenfold.layers import Dense, ReLU
from tenfold.modelfile import open_classifier, to_script
from tenfold.network import Network
from tenfold.recipe import Adam, NonDigits, Recipe
from tenfold.training import resume, train
from tenfold.training.calibration import calibrate, cooled, rejection_threshold, unseen_non_digits
from tenfold.training.loop import EngineClassifier
from tenfold.training.targets import with_drawings
from tenfold.training.train import open_engine

RECIPE = Recipe(
    Network(Dense(16), ReLU(), Dense(10)),
    engine="numpy",
    optimizer=Adam(0.01),
    epochs=3,
    validation_share=0.25,
    test_time_shifts=1,
    members=2,
    calibrated=True,
)


@pytest.fixture(scope="module")
def parts(small_digits: Digits) -> Parts:
    return Parts(small_digits.take(np.arange(700)), small_digits.take(np.arange(700, 1000)))


@pytest.fixture
def trained(parts: Parts):
    """An engine after two epochs, and the validation part."""
    training, validation = split(parts.train, 0.25, seed=0)
    engine = open_engine(RECIPE, training, seed=0)
    engine.train_epoch(0)
    engine.train_epoch(1)
    assert validation is not None
    return engine, validation


def test_the_temperature_is_where_the_log_loss_is_lowest(trained):
    engine, validation = trained
    before = engine.state()
    temperature = calibrate(engine, RECIPE, validation)
    finished = Shifted(EngineClassifier(engine), 1)
    lowest = judge(finished, validation).log_loss
    for factor in (0.93, 1.07):
        engine.restore(cooled(before, RECIPE.network, temperature * factor))
        assert judge(finished, validation).log_loss > lowest


def test_a_network_made_three_times_as_sure_gets_three_times_the_temperature(trained):
    engine, validation = trained
    state = engine.state()
    found = calibrate(engine, RECIPE, validation)
    engine.restore(cooled(state, RECIPE.network, 1 / 3))
    # The search stops within 1 % of the lowest place.
    assert calibrate(engine, RECIPE, validation) == pytest.approx(3 * found, rel=0.03)


def test_a_temperature_divides_every_logit_of_every_member(trained):
    engine, validation = trained
    images, members = validation.images[:50], engine._engines
    before = [member.logits(images) for member in members]
    engine.restore(cooled(engine.state(), RECIPE.network, 2.5))
    for member, logits in zip(members, before, strict=True):
        np.testing.assert_allclose(member.logits(images), logits / 2.5, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_the_threshold_lets_the_asked_for_share_through(small_digits: Digits):
    class ByInk:
        """As sure as a picture has ink: any classifier will do."""

        def predict_proba(self, images):
            sure = 0.1 + 0.8 * images.mean(axis=(1, 2)) / 255
            others = np.repeat((1 - sure)[:, None] / 9, 9, axis=1)
            return np.concatenate([sure[:, None], others], axis=1).astype(np.float32)

    below = rejection_threshold(ByInk(), small_digits, accepted=0.1, seed=0)
    again = unseen_non_digits(small_digits, "threshold", seed=0)
    accepted = (ByInk().predict_proba(again).max(axis=1) >= below).mean()
    assert accepted == pytest.approx(0.1, abs=1 / len(again))


def test_what_favours_no_digit_is_counted_neither_right_nor_wrong():
    labels = np.array([3, 0, 7], np.uint8)
    targets = targets_for(replace(RECIPE, label_smoothing=0.2), labels)
    assert counted_labels(labels, targets).tolist() == [3, 0, 7]
    targets[1] = 0.1
    assert counted_labels(labels, targets).tolist() == [3, NO_DIGIT, 7]


@pytest.mark.parametrize("engine", ["numpy", "keras"])
def test_an_epoch_counts_the_digits_among_what_it_was_shown(parts: Parts, engine: str):
    recipe = replace(
        RECIPE, engine=engine, members=1, non_digits=NonDigits(share=0.5), batch_size=10
    )
    digits = parts.train.take(np.arange(100))
    shown, targets = with_drawings(recipe, digits, None, seed=0)
    assert len(shown) == 150
    trained = open_engine(recipe, shown, targets, seed=0).train_epoch(0)
    assert trained.images == 100
    assert 0 < trained.correct < 100


@pytest.mark.slow
def test_a_run_knows_a_digit_from_what_is_none_and_goes_on_the_same(parts: Parts, tmp_path: Path):
    recipe = replace(RECIPE, members=1, epochs=30, non_digits=NonDigits(share=0.5, accepted=0.1))
    run = train(recipe, parts, folder=tmp_path / "run", seed=0)
    results = run.record["results"]
    rejection = results["rejection"]
    assert run.classifier.reject_below == rejection["below"] > 0.1
    # Newly drawn ones: a tenth, give or take four standard deviations of 2,000 draws, twice over.
    assert rejection["non_digits"]["accepted"] / 2000 == pytest.approx(0.1, abs=0.04)
    told = rejection["validation"]
    assert told["accepted"] / told["total"] > 0.5
    assert 0.1 < results["temperature"] < 8
    assert open_classifier(tmp_path / "run").reject_below == rejection["below"]
    assert resume(tmp_path / "run", parts).record == run.record


def test_a_plain_run_rejects_nothing(parts: Parts, tmp_path: Path):
    recipe = replace(RECIPE, members=1, epochs=1, calibrated=False)
    run = train(recipe, parts, folder=tmp_path / "run", seed=0)
    assert run.record["results"]["rejection"] is None
    assert run.record["results"]["temperature"] is None
    assert run.classifier.reject_below == 0


@pytest.mark.parametrize(
    "change", [{"written_digits": 0.1}, {"non_digits": NonDigits()}, {"calibrated": True}]
)
def test_a_script_that_could_not_do_the_same_is_not_written(change):
    plain = replace(RECIPE, calibrated=False)
    with pytest.raises(UsageError, match="draws no pictures and calibrates nothing"):
        to_script(replace(plain, **change), name="x")
