"""Faults planted in arrays are named by what the arrays show; no network is trained here."""

from typing import Any

import numpy as np
import plantings_in_arrays
import pytest
from planting import Planting, first_of_each
from scipy.ndimage import rotate
from scripts import Array, Arrays, flat
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

import tenfold
from tenfold.errors import UsageError

pytestmark = pytest.mark.slow

IN_THE_ARRAYS = (
    "unscaled_pixels", "scaled_twice", "parts_prepared_differently", "inverted_pixels", "transposed_pictures",
    "scrambled_pictures", "other_dataset", "missing_values", "labels_are_text", "labels_shifted",
    "labels_differ_between_parts", "labels_shuffled", "label_noise", "leak", "missing_class",
)  # fmt: skip
# Every strength runs under the marker slow, with a network.
FAST = [p for p in first_of_each() if p.cause in IN_THE_ARRAYS]


def arrays_alone(arrays: Arrays, *_: Any, **__: Any) -> dict[str, Any]:
    """What is given to diagnose where nothing has been trained yet."""
    return dict(zip(Arrays._fields, arrays, strict=True))


@pytest.mark.parametrize("planting", FAST, ids=lambda p: p.name)
def test_a_fault_in_the_arrays_is_named_first(planting: Planting, few, monkeypatch):
    monkeypatch.setattr(plantings_in_arrays, "fitted", arrays_alone)
    monkeypatch.setattr(plantings_in_arrays, "dense", lambda *_, **__: [])
    monkeypatch.setattr(plantings_in_arrays, "small_cnn", lambda *_, **__: [])
    diagnosis = tenfold.diagnose(**planting.plant(few, np.random.default_rng(1)))
    assert diagnosis.cause == planting.cause, str(diagnosis)


@pytest.mark.parametrize(
    "prepare",
    [
        flat,
        lambda x: (flat(x) - 0.1307) / 0.3081,
        lambda x: x[..., None].astype("float32") / 127.5 - 1,
        lambda x: np.pad(x, ((0, 0), (2, 2), (2, 2))) / 255,
        lambda x: np.repeat(x[..., None], 3, axis=3) / 256,
        lambda x: flat(x) / np.linalg.norm(flat(x), axis=1, keepdims=True),
    ],
    ids=["0 to 1", "standardised", "-1 to 1", "padded", "three channels", "length 1"],
)
def test_ways_to_prepare_pictures_rightly_are_no_fault(prepare, few):
    diagnosis = tenfold.diagnose(**arrays_alone(few.map(prepare)))
    assert diagnosis.faults == (), str(diagnosis)


def test_each_pixel_divided_by_its_own_greatest_of_the_training_part_is_no_fault(few):
    # As by MinMaxScaler: what the rim has of ink elsewhere may become 255 times white.
    most = np.maximum(few.train[0].max(axis=0), 1).astype("float32")
    given = arrays_alone(few.map(lambda x: (x / most).reshape(len(x), -1)))
    assert given["test"][0].max() > 100
    assert tenfold.diagnose(**given).faults == ()


@pytest.mark.parametrize("kind", ["int32", "int64"])
def test_labels_that_were_made_of_nan_are_missing(kind, few):
    x, y = few.train
    y = y.astype(kind)
    y[[3, 50]] = np.iinfo(kind).min
    diagnosis = tenfold.diagnose(train=(flat(x), y))
    assert diagnosis.cause == "missing_values"
    assert diagnosis.faults[0].numbers["rows"] == 2


def test_labels_of_any_right_form_are_no_fault(few):
    for form in (lambda y: y[:, None], lambda y: np.eye(10)[y], list):
        pairs = Arrays(*((flat(x), form(y)) for x, y in few))
        assert tenfold.diagnose(**arrays_alone(pairs)).faults == ()


def test_a_frame_is_taken_as_its_numbers(few):
    import pandas as pd

    x, y = few.train
    text = pd.DataFrame(flat(x)), pd.Series(y.astype(str)).astype("category")
    assert tenfold.diagnose(train=text).cause == "labels_are_text"


def test_a_classifier_that_learnt_text_may_be_given_text(few):
    class Knows:
        classes_ = np.array(list("0123456789"))

        def predict_proba(self, x: Array) -> Array:
            return (
                np.eye(10)[lookup[x.tobytes()]]
                if len(x) == 1
                else np.stack([np.eye(10)[lookup[r.tobytes()]] for r in x])
            )

    lookup = {
        r.tobytes(): int(label) for part in few.scaled() for r, label in zip(*part, strict=True)
    }
    text = few.scaled().map(y=lambda y: y.astype(str))
    assert tenfold.diagnose(model=Knows(), **arrays_alone(text)).faults == ()
    # What is told is text then, and never equal to a number.
    mixed = arrays_alone(text) | {"test": few.scaled().test}
    assert tenfold.diagnose(model=Knows(), **mixed).cause == "labels_are_text"


def test_nothing_to_look_at_is_said():
    with pytest.raises(UsageError, match="a model, arrays or a history"):
        tenfold.diagnose()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"train": 3}, "x of shape"),
        ({"train": (np.zeros((3, 4)), np.zeros(2))}, "one label for each of 3 rows"),
        ({"train": (np.array([["a", "b"]]), [1])}, "expected numbers in x"),
        ({"model": 3}, "received int"),
        ({"history": 3}, "received int"),
    ],
)
def test_what_is_no_array_model_or_history_is_refused_in_a_sentence(given, says):
    with pytest.raises(UsageError, match=says):
        tenfold.diagnose(**given)


def object_rows(y: Array) -> Array:
    return np.eye(10)[y].astype(object)


@pytest.mark.parametrize(
    ("answer", "labels", "cause"),
    [
        (lambda x: np.array(["cat"] * len(x)), None, "wrong_shape"),
        (lambda x: None, None, "wrong_shape"),
        (None, object_rows, None),
        (None, lambda y: np.where(np.arange(len(y)) == 3, 10**11, y), "labels_out_of_range"),
        (None, lambda y: np.array([["a", "b"]] * len(y)), "labels_are_text"),
    ],
    ids=["text", "nothing", "objects", "a huge label", "two words a row"],
)
def test_whatever_a_stranger_gives_is_looked_at(answer, labels, cause, few):
    given = few.map(flat, labels or (lambda y: y))
    assert tenfold.diagnose(model=answer, train=given.train, test=given.test).cause == cause


def test_pictures_without_any_number_are_missing_values(few):
    x, y = few.train
    assert tenfold.diagnose(train=(np.full(x.shape, np.nan), y)).cause == "missing_values"


def test_labels_that_are_one_word_are_refused(few):
    with pytest.raises(UsageError, match="a label for each row"):
        tenfold.diagnose(train=(flat(few.train[0]), "labels"))


def test_what_is_no_pair_of_arrays_or_no_history_is_named_as_it_came(arrays):
    x, y = arrays.train[0][:50], arrays.train[1][:50]
    for given, says in (
        ({"train": (x, y, np.ones(50))}, "received 3 things"),
        (
            {"train": (pair for pair in zip(x, y, strict=True))},
            "received generator, whose rows come",
        ),
        ({"train": (x, y), "history": "history.json"}, "received the text 'history.json'"),
    ):
        with pytest.raises(UsageError, match=says):
            tenfold.diagnose(**given)


def test_a_function_that_raises_is_asked_for_its_own_fault(arrays):
    def broken(x):
        raise ZeroDivisionError("in my own function")

    found = tenfold.diagnose(model=broken, train=arrays.scaled().train)
    finding = next(f for f in found.findings if f.cause == "wrong_shape")
    assert "the function did not take x" in finding.evidence
    assert "in my own function" in finding.evidence
    assert "input_shape" not in finding.fix


def test_one_plane_a_digit_is_worth_a_remark():
    import keras

    model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(10, activation="softmax")])
    found = tenfold.diagnose(model=model)
    assert [(f.cause, f.fault) for f in found.findings] == [("no_nonlinearity", False)]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_rows_of_which_only_some_were_scaled_are_no_leak(share, few):
    x, y = few.scaled().train
    some = np.random.default_rng(0).random((len(x), 1)) < share
    given = arrays_alone(few.scaled()) | {"train": (np.where(some, x, 255 * x), y)}
    found = tenfold.diagnose(**given)
    assert found.cause == "parts_prepared_differently", str(found)
    assert "leak" not in [f.cause for f in found.findings]


def test_strokes_that_two_writers_made_alike_are_no_leak(few):
    def with_strokes(pair: Any, column: float) -> Any:
        # 1s a twentieth of a pixel apart, of ten lengths: of 1,000 real digits up to two are as near.
        down, right = np.mgrid[:28, :28]
        ink = np.exp(-((right - column) ** 2) / 3) * (down > 4)
        strokes = [np.where(down < 17 + i / 2, 255 * ink, 0) for i in range(10)]
        return flat(np.concatenate([pair[0], strokes])), np.concatenate([pair[1], [1] * 10])

    train, test = with_strokes(few.train, 13.5), with_strokes(few.test, 13.55)
    assert tenfold.diagnose(train=train, test=test).faults == ()


def test_many_dark_copies_are_a_leak_and_their_labels_are_not_doubted(arrays):
    good = arrays.scaled()
    (x, y), (copied, labels) = ((a[:1600], b[:1600]) for a, b in (good.train, good.test))
    train = np.concatenate([x, np.float32(0.2) * copied]), np.concatenate([y, labels])
    found = tenfold.diagnose(train=train, test=good.test)
    assert [f.cause for f in found.faults] == ["leak"], str(found)


def test_the_more_upright_of_two_groups_of_writers_are_no_fault(few):
    # As the first 5,000 of MNIST's test part, beside its training part.
    def slant(x: Array) -> Array:
        ink = x.astype(float) / x.sum(axis=(1, 2), keepdims=True)
        down = np.arange(28) - (ink.sum(axis=2) @ np.arange(28))[:, None]
        right = np.arange(28) - (ink.sum(axis=1) @ np.arange(28))[:, None]
        return np.einsum("nij,ni,nj->n", ink, down, right) / np.einsum("nij,ni->n", ink, down**2)

    (x, y), before = few.test, slant(few.train[0])
    upright = np.argsort(slant(x))[90:]
    assert 0.15 < slant(x[upright]).mean() - before.mean() < 0.2
    given = few._replace(test=(x[upright], y[upright]))
    assert tenfold.diagnose(**arrays_alone(given.scaled())).faults == ()


def test_five_digits_that_were_meant_to_be_all_are_no_missing_class(few):
    odd = Arrays(*((flat(x[y % 2 == 1]), y[y % 2 == 1] // 2) for x, y in few))
    machine = SVC(C=10).fit(*odd.train)
    assert tenfold.diagnose(model=machine, train=odd.train, test=odd.test).faults == ()
    # Ten outputs were meant for ten digits.
    found = tenfold.diagnose(model=lambda x: np.eye(10)[machine.predict(x)], train=odd.train)
    assert "missing_class" in [f.cause for f in found.faults], str(found)


@pytest.mark.parametrize("share", [0.0, 0.6])
def test_ten_sigmoids_of_a_function_are_a_fault_only_where_it_does_badly(share, few):
    # As of networks written by hand, on targets of 0.01 and 0.99 (Rashid 2016).
    targets = few.scaled().map(y=lambda y: np.where(np.eye(10)[y] > 0, 0.99, 0.01))
    x, y = targets.train
    known = {row.tobytes(): target for row, target in zip(x, y, strict=True)}

    def model(rows: Array) -> Array:
        told = np.array([known[row.tobytes()] for row in rows])
        wrong = np.random.default_rng(0).random(len(told)) < share
        return np.where(wrong[:, None], np.roll(told, 1, axis=1), told)

    found = tenfold.diagnose(model=model, train=(x, y))
    assert ("output_activation" in [f.cause for f in found.faults]) is (share > 0), str(found)
    assert "one_hot_wrong" not in [f.cause for f in found.findings]


def test_pictures_that_lie_wrongly_are_seen_without_a_training_part(few):
    x, y = few.scaled().test
    turned = {"transposed_pictures": x.reshape(-1, 28, 28).swapaxes(1, 2), "inverted_pixels": 1 - x}
    for cause, given in turned.items():
        assert tenfold.diagnose(model=lambda x: np.zeros(len(x)), test=(given, y)).cause == cause


def test_digits_that_probes_find_hard_are_not_wrongly_labelled(arrays):
    # More of them than among the first 5,000 of MNIST's test part, which a few thousand others tell to 94 %.
    x, y = arrays.scaled().train
    probe = make_pipeline(PCA(30, random_state=0), QuadraticDiscriminantAnalysis(reg_param=0.1))
    hard = probe.fit(x[:1600], y[:1600]).predict(x[1600:]) != y[1600:]
    kept = 1600 + np.flatnonzero(hard | (np.arange(1600) % 4 == 0))
    found = tenfold.diagnose(train=(x[:1600], y[:1600]), test=(x[kept], y[kept]))
    assert found.faults == (), str(found)


@pytest.mark.parametrize("last", [9, 8, 7])
def test_the_rows_that_a_split_of_sorted_data_held_back_are_counted(last, few):
    x, y = few.scaled().train
    order = np.argsort(y, kind="stable")
    x, y = x[order], y[order]
    known = {row.tobytes(): digit for row, digit in zip(x, y, strict=True)}

    def knows_the_first(rows: Array) -> Array:
        told = np.array([known[np.asarray(row).tobytes()] for row in rows])
        return np.eye(10)[np.where(told < last, told, 0)]

    found = tenfold.diagnose(model=knows_the_first, train=(x, y))
    assert found.cause == "sorted_split"
    assert f"{(y >= last).mean():.0%} of all rows" in found.faults[0].evidence
    assert "fifth" not in found.faults[0].evidence


def moved_by_chance(x: Array, most: int) -> Array:
    """uint8 (n, 28, 28), each moved by up to `most` pixels to all sides."""
    shifts = np.random.default_rng(0).integers(-most, most + 1, (len(x), 2))
    return np.stack([np.roll(one, s, (0, 1)) for one, s in zip(x, shifts, strict=True)])


def turned_by_chance(x: Array, most: float) -> Array:
    """uint8 (n, 28, 28), each turned by up to `most` degrees to both sides."""
    angles = np.random.default_rng(0).uniform(-most, most, len(x))
    return np.stack(
        [rotate(one, a, reshape=False, order=1) for one, a in zip(x, angles, strict=True)]
    )


@pytest.mark.parametrize(
    ("augment", "most"),
    [(moved_by_chance, 2), (moved_by_chance, 4), (turned_by_chance, 20), (turned_by_chance, 40)],
)
def test_a_training_part_that_was_augmented_is_no_fault(augment, most, arrays):
    x, y = arrays.train
    given = arrays_alone(arrays.scaled()) | {"train": (flat(augment(x, most)), y)}
    assert tenfold.diagnose(**given).faults == ()

    noisy = y.copy()
    wrong = np.random.default_rng(1).random(len(y)) < 0.1
    noisy[wrong] = np.random.default_rng(2).integers(0, 10, int(wrong.sum()))
    found = tenfold.diagnose(**given | {"train": (given["train"][0], noisy)})
    assert found.cause == "label_noise", str(found)


@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_digits_that_were_taken_for_one_another_are_named(share, arrays):
    # At a half each way, whoever learns from these labels cannot tell the two apart: real digits can.
    (x, y), *rest = arrays.scaled()
    other = np.arange(10)
    other[[4, 9, 3]] = [9, 4, 5]
    some = np.random.default_rng(0).random(len(y)) < share / 2
    found = tenfold.diagnose(train=(x, np.where(some, other[y], y)), test=rest[-1])
    assert found.cause == "label_noise", str(found)
    assert "that show 4 are labelled 9" in found.faults[0].evidence


@pytest.mark.parametrize(
    ("cause", "deal"),
    [
        ("label_noise", lambda y, rng: rng.integers(0, 10, len(y))),
        ("labels_shuffled", lambda y, rng: rng.permutation(y)),
    ],
)
@pytest.mark.parametrize("stretch", [slice(400, 800), slice(2200, 3200)])
def test_in_a_stretch_of_rows_replaced_labels_are_told_from_exchanged_ones(
    stretch, cause, deal, arrays
):
    x, y = arrays.scaled().train
    y = y.copy()
    y[stretch] = deal(y[stretch], np.random.default_rng(0))
    found = tenfold.diagnose(train=(x, y))
    assert found.cause == cause, str(found)
    assert "nearly all of them in rows" in found.findings[0].evidence
