"""`tenfold.ensemble`: trained models joined into one model folder, which is then used like any other."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tenfold import verbs
from tenfold.classifiers import Ensemble, Shifted
from tenfold.data import load
from tenfold.digits import Parts, fingerprints
from tenfold.errors import DataError, ModelError, ParityError, UsageError
from tenfold.exports import describe, ensemble, export
from tenfold.modelfile import PRETRAINED, load_model, onnx_graph, open_classifier
from tenfold.recipes import named_recipe
from tenfold.training import train

RECIPE = replace(named_recipe("seed-numpy"), epochs=1)
# Means of a few float32 probabilities, taken in another order.
ROUNDING = 1e-6


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def sample() -> Parts:
    return load("mnist5k")


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory: pytest.TempPathFactory, sample: Parts) -> Path:
    """Runs a, b and c, each trained on 400 pictures of its own."""
    folder = tmp_path_factory.mktemp("runs")
    for number, name in enumerate("abc"):
        rows = np.arange(400 * number, 400 * (number + 1))
        parts = Parts(sample.train.take(rows), sample.test)
        train(RECIPE, parts, seed=number, folder=folder / name)
    return folder


@pytest.fixture
def runs(trained_once: Path) -> list[Path]:
    """The three runs in the working folder."""
    return [Path(shutil.copytree(trained_once / name, name)) for name in "abc"]


def test_the_joined_model_says_the_mean_of_what_the_runs_say(runs, sample):
    written = ensemble(runs, out="three")
    assert written == Path("three")
    assert sorted(path.name for path in written.iterdir()) == [
        "manifest.json", "model.json", "model.onnx", "trained_on.bin", "weights.safetensors",
    ]  # fmt: skip
    expected = np.mean(
        [open_classifier(run).predict_proba(sample.test.images) for run in runs], axis=0
    )
    answer = open_classifier(written).predict_proba(sample.test.images)
    np.testing.assert_allclose(answer, expected, atol=ROUNDING)


def test_one_model_alone_is_given_shifts(runs, sample):
    written = ensemble(runs[:1], out="shifted", shifts=1)
    answer = open_classifier(written).predict_proba(sample.test.images)
    expected = Shifted(open_classifier(runs[0])).predict_proba(sample.test.images)
    np.testing.assert_allclose(answer, expected, atol=ROUNDING)


def test_the_shifts_of_a_recipe_are_in_the_model_of_its_run(sample):
    parts = Parts(sample.train.take(np.arange(400)), sample.test)
    plain = train(RECIPE, parts, folder=Path("plain"))
    shifted = train(replace(RECIPE, test_time_shifts=2), parts, folder=Path("shifted"))
    # They change no step of the training, so both runs hold the same weights.
    expected = Shifted(plain.classifier, 2).predict_proba(sample.test.images)
    answer = shifted.classifier.predict_proba(sample.test.images)
    np.testing.assert_allclose(answer, expected, atol=ROUNDING)
    assert (describe("plain").shifts, describe("shifted").shifts) == (0, 2)


def test_every_network_counts_the_same_also_those_of_an_ensemble(runs, sample):
    two = ensemble(runs[:2], out="two", shifts=2)
    three = ensemble([two, ensemble(runs[2:], out="one", shifts=2)], out="three")
    expected = Shifted(Ensemble(*map(open_classifier, runs)), 2).predict_proba(sample.test.images)
    answer = open_classifier(three).predict_proba(sample.test.images)
    np.testing.assert_allclose(answer, expected, atol=ROUNDING)


def test_what_any_member_was_trained_on_the_ensemble_was_trained_on(runs, sample):
    written = ensemble([*runs[1:], runs[0]], out="three")
    union = np.unique([load_model(run / "model").trained_on for run in runs])
    assert np.array_equal(load_model(written).trained_on, union)
    # Each was given 400 pictures of its own; the next one none of them saw.
    seen = np.isin(fingerprints(sample.train.images[:1201]), union)
    assert seen.tolist() == [True] * 1200 + [False]
    header = ",".join(f"pixel{i}" for i in range(784))
    rows = (",".join(map(str, image.ravel().tolist())) for image in sample.train.images[1199:1201])
    Path("test.csv").write_text("\n".join([header, *rows]) + "\n")
    with pytest.raises(DataError, match="1 of the 2 rows"):
        verbs.submit(written, "test.csv", out="s.csv")


def test_an_ensemble_is_evaluated_shown_and_exported_like_any_model(runs, sample):
    written = ensemble(runs, out="three", shifts=1)
    judged = verbs.evaluate(written, sample.test)
    assert judged.accuracy.total == 1000
    described = describe(written)
    assert (described.networks, described.shifts) == ((RECIPE.network,) * 3, 1)
    assert described.to_json() == json.loads(Path("three/model.json").read_bytes())
    ours = open_classifier(written).predict_proba(sample.test.images)
    theirs = open_classifier(export(written, "onnx")).predict_proba(sample.test.images)
    # The same graph on the same runtime.
    assert np.array_equal(ours, theirs)
    with pytest.raises(ModelError, match="does not say how it is trained"):
        export(written, "script")


@pytest.mark.slow
def test_an_ensemble_becomes_a_keras_file(runs, sample):
    import keras

    written = export(ensemble(runs, out="three", shifts=1), "keras")
    images = sample.test.images[:100]
    theirs = keras.models.load_model(written).predict(images, verbose=0)
    # Sums of 784 float32 products in another order; see check_parity for what is allowed.
    np.testing.assert_allclose(
        theirs, open_classifier(Path("three")).predict_proba(images), atol=1e-5
    )


def test_an_ensemble_that_leaves_a_member_out_is_not_written(runs, monkeypatch):
    right = onnx_graph.to_onnx
    monkeypatch.setattr(
        onnx_graph, "to_onnx", lambda members, shifts=0: right(members[:2], shifts=shifts)
    )
    with pytest.raises(ParityError):
        ensemble(runs, out="three")
    assert not Path("three").exists()


def test_models_whose_shifts_differ_are_joined_when_it_is_said_what_the_ensemble_does(runs, sample):
    shifted = ensemble(runs[:1], out="shifted", shifts=1)
    with pytest.raises(UsageError, match=r"shifted: 1, b: 0\..*--shifts"):
        ensemble([shifted, runs[1]], out="both")
    both = ensemble([shifted, runs[1]], out="both", shifts=0)
    expected = Ensemble(*map(open_classifier, runs[:2])).predict_proba(sample.test.images)
    answer = open_classifier(both).predict_proba(sample.test.images)
    np.testing.assert_allclose(answer, expected, atol=ROUNDING)


def test_what_cannot_be_an_ensemble_is_refused_and_nothing_is_written(runs, monkeypatch):
    Path("full").mkdir()
    Path("full/letter.txt").write_text("dear reader")
    shutil.copy("a/model/model.onnx", "a.onnx")
    there = sorted(Path().rglob("*"))
    for models, options, words in [
        ([], {}, "at least one"),
        (["a", "a/model"], {}, "a/model twice"),
        (["a"], {"shifts": 5}, "from 0 to 4, received 5"),
        (["a"], {"out": "full"}, "holds other things"),
        (["a"], {"out": "full/letter.txt"}, "received a file"),
        (["a"], {"out": "new.onnx"}, "tenfold export"),
    ]:
        with pytest.raises(UsageError, match=words):
            ensemble(models, **{"out": "new", **options})
    for models, words in [
        (["a", "a.onnx"], r"received an \.onnx file"),
        (["nowhere"], "Models there"),
    ]:
        with pytest.raises(ModelError, match=words):
            ensemble(models, out="new")
    assert sorted(Path().rglob("*")) == there
    # An unfinished run is called that.
    monkeypatch.setattr(
        "tenfold.exports.describing.open_run",
        lambda _: (_ for _ in ()).throw(ModelError("unfinished")),
    )
    with pytest.raises(ModelError, match="unfinished"):
        ensemble(runs, out="new")


def test_what_shows_no_digit_to_its_members_shows_none_to_an_ensemble():
    written = ensemble([PRETRAINED], out="with shifts", shifts=1)
    assert open_classifier(written).reject_below == open_classifier(PRETRAINED).reject_below > 0
