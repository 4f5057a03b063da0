"""The code of a finding is run on the arrays it was found in: then the cause is gone."""

from typing import Any

import numpy as np
import plantings_in_arrays
import pytest
from planting import PLANTINGS, Planting
from scripts import Arrays, flat

import tenfold

pytestmark = pytest.mark.slow

MENDED_BY_CODE = (
    "unscaled_pixels", "inverted_pixels", "transposed_pictures", "parts_prepared_differently", "missing_values",
    "labels_are_text", "labels_shifted", "labels_differ_between_parts", "label_noise",
)  # fmt: skip
# What divided every picture by its own length, or by numbers of another part, is not known any more; and that
# digits lean says little of how far they were turned.
NOT_BY_CODE = (
    "parts-test l2",
    "parts-test standardised",
    "parts-test turned",
    "parts-each standardised",
)


def arrays_alone(arrays: Arrays, *_: Any, **__: Any) -> dict[str, Any]:
    return dict(zip(Arrays._fields, arrays, strict=True))


def mended(given: dict[str, Any], fix: str) -> dict[str, Any]:
    """The arrays after the code, in the names that it uses."""
    names: dict[str, Any] = {"np": np}
    for part, (x, y) in given.items():
        names |= {f"x_{part}": x, f"y_{part}": y}
    exec(fix, names)
    return {part: (names[f"x_{part}"], names[f"y_{part}"]) for part in given}


@pytest.mark.parametrize(
    "planting",
    [p for p in PLANTINGS if p.cause in MENDED_BY_CODE and p.name not in NOT_BY_CODE],
    ids=lambda p: p.name,
)
def test_the_code_of_a_finding_mends_it(planting: Planting, few, monkeypatch):
    monkeypatch.setattr(plantings_in_arrays, "fitted", arrays_alone)
    for name in ("dense", "small_cnn"):
        monkeypatch.setattr(plantings_in_arrays, name, lambda *_, **__: [])
    given = planting.plant(few, np.random.default_rng(1))
    found = next(f for f in tenfold.diagnose(**given).findings if f.cause == planting.cause)
    again = tenfold.diagnose(**mended(given, found.fix))
    assert planting.cause not in [f.cause for f in again.faults], found.fix


@pytest.mark.parametrize("hot", [False, True], ids=["numbers", "one-hot"])
def test_labels_come_down_again_whatever_their_form(few, hot):
    def raised(y: Any) -> Any:
        y = ((y + 1) % 10).astype(np.uint8)
        return np.eye(10)[y] if hot else y

    given = arrays_alone(few.map(flat, raised))
    found = tenfold.diagnose(**given)
    assert found.cause == "labels_shifted"
    for part, (_, y) in mended(given, found.faults[0].fix).items():
        np.testing.assert_array_equal(y.argmax(axis=1) if hot else y, getattr(few, part)[1])


GERMAN = ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"]


@pytest.mark.parametrize("words", [plantings_in_arrays.WORDS, np.array(GERMAN)])
def test_words_become_the_digits_that_their_pictures_show(words, few):
    found = tenfold.diagnose(**arrays_alone(few.map(flat, lambda y: words[y])))
    assert [f.cause for f in found.faults] == ["labels_are_text"]
    given = arrays_alone(few.map(flat, lambda y: words[y]))
    for part, (_, y) in mended(given, found.faults[0].fix).items():
        np.testing.assert_array_equal(y, getattr(few, part)[1])


def a_few_iterations() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=2)


def trees_on_few() -> Any:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline

    return make_pipeline(RandomForestClassifier(20, random_state=0))


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.parametrize(
    ("make", "rows", "cause"),
    [(a_few_iterations, 1600, "under_training"), (trees_on_few, 600, "overfitting")],
)
def test_a_classifier_of_scikit_learn_is_mended_in_its_own_words(make, rows, cause, few):
    x, y = few.scaled().train
    clf = make().fit(x[:rows], y[:rows])
    for model in (clf, clf.predict_proba):
        given = {"model": model, "train": (x[:rows], y[:rows]), "test": few.scaled().test}
        found = tenfold.diagnose(**given)
        assert "keras" not in "".join(f.fix for f in found.findings)
        finding = next(f for f in found.findings if f.cause == cause)
        assert "clf.set_params" in finding.fix
        exec(finding.fix, {"clf": clf, "x_train": x[:rows], "y_train": y[:rows]})


def test_a_function_whose_outputs_are_no_probabilities_is_given_numpy(few):
    x, y = few.scaled().train

    def scores(rows: Any) -> Any:
        return np.maximum(rows[:, :700].reshape(len(rows), 10, 70).sum(axis=2) - 10, 0)

    found = tenfold.diagnose(model=scores, train=(x, y))
    assert found.cause == "output_activation"
    names: dict[str, Any] = {"np": np, "z": scores(x)}
    exec(found.faults[0].fix, names)
    np.testing.assert_allclose(names["outputs"].sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("step", [1, -3])
def test_images_find_the_labels_that_stand_some_rows_away(few, step):
    x, y = few.train
    given = {"train": (flat(x), np.roll(y, step))}
    found = tenfold.diagnose(**given)
    assert found.cause == "labels_shuffled"
    ((again, labels),) = mended(given, found.faults[0].fix).values()
    rows = {row.tobytes(): label for row, label in zip(flat(x), y, strict=True)}
    assert [rows[row.tobytes()] for row in again] == labels.tolist()
    assert len(again) == len(x) - abs(step)


def test_rows_that_were_trained_on_are_left_out(few):
    x, y = few.test
    seen = np.concatenate([few.train[0][:50], x])
    given = {
        "train": (flat(few.train[0]), few.train[1]),
        "test": (flat(seen), np.concatenate([few.train[1][:50], y])),
    }
    found = tenfold.diagnose(**given)
    assert found.cause == "leak"
    again, labels = mended(given, found.faults[0].fix)["test"]
    np.testing.assert_array_equal(again, flat(x))
    np.testing.assert_array_equal(labels, y)


def test_two_digits_called_0_and_1_are_no_renaming(few):
    def answers(x: Any) -> Any:
        return np.tile([0.4, 0.6], (len(x), 1))

    def chosen(x: Any, y: Any) -> Any:
        keep = (y == 3) | (y == 8)
        return flat(x[keep]), (y[keep] == 8).astype(int)

    found = tenfold.diagnose(model=answers, train=chosen(*few.train), test=chosen(*few.test))
    assert "labels_shifted" not in [f.cause for f in found.findings]
