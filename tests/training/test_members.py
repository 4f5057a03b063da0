"""Several networks in one training are what as many trainings would have given, joined."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tenfold.classifiers import Ensemble, Shifted
from tenfold.digits import Digits, Parts, fingerprints, split
from tenfold.errors import ModelError
from tenfold.layers import BatchNorm, Dense, Dropout, ReLU
from tenfold.modelfile import load_model
from tenfold.network import Network
from tenfold.recipe import Adam, Averaging, Distillation, EarlyStopping, Recipe
from tenfold.scratch import ScratchEngine
from tenfold.training import resume, train
from tenfold.training.members import member_seeds, states_of

RECIPE = Recipe(
    Network(Dense(16, bias=False), BatchNorm(), ReLU(), Dropout(0.2), Dense(10)),
    engine="numpy",
    optimizer=Adam(0.01),
    epochs=3,
    validation_share=0.0,
    averaging=Averaging(0.9),
    test_time_shifts=1,
    members=3,
)


@pytest.fixture(scope="module")
def parts(small_digits: Digits) -> Parts:
    return Parts(small_digits.take(np.arange(600)), small_digits.take(np.arange(600, 1000)))


def test_they_are_the_networks_that_their_seeds_give_alone_and_answer_with_the_mean(
    parts: Parts, tmp_path: Path
):
    together = train(RECIPE, parts, folder=tmp_path / "together", seed=5)
    seeds = member_seeds(5, 3)
    assert seeds[0] == 5
    assert len(set(seeds)) == 3
    alone = [
        train(replace(RECIPE, members=1), parts, folder=tmp_path / str(seed), seed=seed)
        for seed in seeds
    ]
    members = load_model(together.folder / "model").members
    for member, run in zip(members, alone, strict=True):
        own = load_model(run.folder / "model").members[0].weights
        for name, array in own.items():
            np.testing.assert_array_equal(member.weights[name], array, err_msg=name)
    images = parts.test.images
    expected = Ensemble(*(run.classifier for run in alone)).predict_proba(images)
    np.testing.assert_allclose(together.classifier.predict_proba(images), expected, atol=1e-6)


def test_losses_and_counts_are_those_of_all(parts: Parts, tmp_path: Path):
    # 600 images in batches of 32 are 18 steps, and 576 images seen, for each of the three.
    recipe = replace(RECIPE, epochs=1)
    together = train(recipe, parts, folder=tmp_path / "together", seed=5).history[0]
    alone = [
        train(replace(recipe, members=1), parts, folder=tmp_path / str(s), seed=s).history[0]
        for s in member_seeds(5, 3)
    ]
    assert together.loss == pytest.approx(np.mean([one.loss for one in alone]), rel=1e-6)
    assert together.accuracy == pytest.approx(np.mean([one.accuracy for one in alone]), rel=1e-12)


def test_validation_is_one_part_that_none_of_them_trains_on(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    given = []

    class Spied(ScratchEngine):
        def __init__(self, recipe, train, targets=None, *, seed):
            given.append(train)
            super().__init__(recipe, train, targets, seed=seed)

    monkeypatch.setattr("tenfold.scratch.ScratchEngine", Spied)
    recipe = replace(RECIPE, validation_share=0.25, averaging=None, epochs=1)
    train(recipe, parts, folder=tmp_path / "run", seed=5)
    training, validation = split(parts.train, 0.25, seed=5)
    assert len(given) == 3
    for own in given:
        np.testing.assert_array_equal(own.images, training.images)
    assert not np.isin(fingerprints(validation.images), fingerprints(given[0].images)).any()


def test_a_state_of_other_members_is_refused():
    state = {"1/weights/a": np.zeros(1), "3/weights/a": np.zeros(1)}
    with pytest.raises(ModelError, match="3/weights/a"):
        states_of(state, 2)
    with pytest.raises(ModelError, match="weights/a"):
        states_of({"weights/a": np.zeros(1)}, 2)


def weights_when(recipe: Recipe, parts: Parts, folder: Path, *, stopped: bool) -> dict[str, Any]:
    """The seal of the weights of a training with seed 2; if `stopped`, of one that went on after its first epoch."""

    class Stopped(Exception):
        pass

    def stop(_: object) -> None:
        raise Stopped

    if stopped:
        with pytest.raises(Stopped):
            train(recipe, parts, folder=folder, seed=2, on_epoch=stop)
        run = resume(folder, parts)
    else:
        run = train(recipe, parts, folder=folder, seed=2)
    assert len(load_model(run.folder / "model").members) == recipe.members
    return dict(run.record["files"]["model/weights.safetensors"])


KERAS = Recipe(
    Network(Dense(8), ReLU(), Dense(10)),
    optimizer=Adam(0.02),
    epochs=4,
    validation_share=0.25,
    early_stopping=EarlyStopping(patience=2),
    distillation=Distillation(replace(RECIPE, epochs=1)),
    members=2,
)


@pytest.mark.parametrize(
    "recipe",
    [
        pytest.param(RECIPE, id="by hand"),
        pytest.param(KERAS, id="Keras, a teacher, stops early", marks=pytest.mark.slow),
    ],
)
def test_a_stopped_training_of_several_ends_as_one_that_was_not(
    recipe: Recipe, parts: Parts, tmp_path: Path
):
    straight = weights_when(recipe, parts, tmp_path / "straight", stopped=False)
    assert weights_when(recipe, parts, tmp_path / "stopped", stopped=True) == straight


def test_what_the_loop_sees_is_the_mean_too(parts: Parts):
    from tenfold.training.loop import EngineClassifier
    from tenfold.training.train import open_engine

    engines = [
        open_engine(replace(RECIPE, members=1), parts.train, seed=s) for s in member_seeds(1, 3)
    ]
    expected = Ensemble(*map(EngineClassifier, engines)).predict_proba(parts.test.images)
    together = EngineClassifier(open_engine(RECIPE, parts.train, seed=1))
    np.testing.assert_allclose(
        together.predict_proba(parts.test.images), expected, rtol=1e-5, atol=1e-7
    )
    assert Shifted(together, 1).predict_proba(parts.test.images).shape == (400, 10)
