"""What a diagnosis says of itself: order, text and JSON; what histories and small parts are read as."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import tenfold
from tenfold.errors import UnknownName
from tenfold.evaluation.diagnosis import CAUSES, Diagnosis, Finding, probe
from tenfold.evaluation.diagnosis.compiled import snake
from tenfold.evaluation.diagnosis.histories import history_of
from tenfold.evaluation.diagnosis.inputs import read_labels
from tenfold.evaluation.diagnosis.models import model_of, with_recipe
from tenfold.evaluation.diagnosis.pictures import restore


def test_a_cause_that_is_not_in_the_table_is_refused():
    with pytest.raises(UnknownName, match="label_noise"):
        Finding("label_nose", 0.5, "", "")


def test_remarks_stand_after_faults_and_are_no_cause():
    remark = Finding("unscaled_pixels", 1.0, "seen", "x / 255", fault=False)
    fault = Finding("overfitting", 0.6, "gap", "stop", {"gap": 0.1})
    assert fault.weight > remark.weight
    diagnosis = Diagnosis((fault, remark), {"train": "x"}, 0.1)
    assert diagnosis.cause == "overfitting"
    assert Diagnosis((remark,), {}, 0.1).cause is None
    assert "No fault found." in str(Diagnosis((remark,), {}, 0.1))
    back = json.loads(json.dumps(diagnosis.json()))
    assert back["cause"] == "overfitting"
    assert [f["how_sure"] for f in back["findings"]] == ["likely", "certain"]


def test_what_explains_others_weighs_more_than_what_it_explains():
    for explains, explained in [
        ("unscaled_pixels", "learning_rate_too_high"),
        ("labels_shuffled", "overfitting"),
        ("learning_rate_too_high", "dead_units"),
        ("sorted_split", "missing_class"),
        ("parts_prepared_differently", "unscaled_pixels"),
    ]:
        assert CAUSES[explains].weight > CAUSES[explained].weight


def test_a_history_is_read_in_every_common_form():
    class Keras:
        history = {"loss": [2.0, 1.0], "val_accuracy": [0.5, 0.6], "lr": [0.1, 0.01]}
        params = {"steps": 9, "epochs": 2}

    logged = {
        "epoch": ["0", "1"],
        "loss": ["2.0", "1.0"],
        "val_accuracy": ["0.5", "0.6"],
        "lr": ["0.1", "0.01"],
    }
    lines = [
        {"epoch": 1, "loss": 2.0, "validation_accuracy": 0.5, "lr": 0.1},
        {"epoch": 2, "loss": 1.0, "validation_accuracy": 0.6, "lr": 0.01},
    ]
    for given in (
        Keras(),
        Keras.history,
        logged,
        lines,
        "\n".join(json.dumps(line) for line in lines),
    ):
        history = history_of(given)
        assert history.epochs == 2
        assert history.loss.tolist() == [2.0, 1.0]
        assert history.validation_accuracy.tolist() == [0.5, 0.6]
        assert history.learning_rate.tolist() == [0.1, 0.01]
    assert history_of(Keras()).steps == 9


def test_nan_in_a_history_alone_is_named():
    diagnosis = tenfold.diagnose(history={"loss": [0.5, float("nan")], "accuracy": [0.8, 0.1]})
    assert diagnosis.cause == "nan_in_training"
    assert "epoch 2" in diagnosis.findings[0].evidence


@pytest.mark.parametrize(
    ("y", "form"),
    [
        (np.array([1, 2]), "whole"),
        (np.array([[1], [2]]), "column"),
        (np.array([[0, 1.0], [1, 0]]), "one-hot"),
        (np.array([[0, 0.0], [1, 0]]), "bad one-hot"),
        (np.array(["1", "2"], object), "text"),
        (np.array([1, 2], object), "whole"),
        (np.array([0.1, 0.2]), "fractions"),
        (np.array([1.0, np.nan]), "whole"),
    ],
)
def test_labels_are_read_by_their_form(y, form):
    assert read_labels(y, 2)[1] == form


@pytest.mark.parametrize(
    "undo",
    [
        lambda p: p / 255,
        lambda p: p / 127.5 - 1,
        lambda p: (p / 255 - 0.13) / 0.31,
        lambda p: p.reshape(len(p), -1) / 7.0,
    ],
)
def test_preparation_is_undone_to_the_byte(undo, arrays):
    pixels = arrays.train[0][:300]
    assert np.abs(restore(undo(pixels.astype(float))).astype(int) - pixels).max() <= 1


def test_the_probe_finds_planted_gaussians_and_nothing_in_noise():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 2000)
    z = (rng.normal(size=(2000, 6)) + 3 * np.eye(4, 6)[labels]).astype(np.float32)
    # Two of four centres 3 * sqrt(2) apart: each is passed over with probability Phi(-2.1) or so.
    assert (probe.told_by_others(z, labels)[0] == labels).mean() > 0.93
    # Folds that lack a label of the row in question make it the rarer one: below a quarter, not above.
    assert (probe.told_by_others(z, rng.permutation(labels))[0] == labels).mean() < 0.3


def test_a_recipe_tells_its_layers_and_rate():
    recipe = tenfold.RECIPES["cnn"].recipe
    model = with_recipe(model_of(lambda x: x), recipe, images=1_000, epochs=2)
    assert model.steps == 14  # of 128 images each
    assert model.learning_rate == recipe.optimizer.learning_rate
    assert model.weighted[-1].settings["units"] == 10


def test_names_of_losses_are_written_one_way():
    assert snake("SparseCategoricalCrossentropy") == "sparse_categorical_crossentropy"
    assert snake("mse") == snake("MeanSquaredError") == "mean_squared_error"


def test_the_documented_causes_are_all_there_are_in_their_order():
    page = (Path(__file__).parents[3] / "docs" / "diagnosis.md").read_text()
    listed = re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.MULTILINE)
    assert listed == [(name, cause.title) for name, cause in CAUSES.items()]
    weights = [cause.weight for cause in CAUSES.values()]
    assert weights == sorted(weights, reverse=True)


def of_rows(part, count):
    x, y = part
    return x[:count].reshape(count, -1).astype(np.float32) / 255, y[:count]


def errs_on(share, labels):
    """labels (n,) -> the same, a share of them one to nine higher by chance."""
    chance = np.random.default_rng(0)
    told = labels.copy()
    rows = chance.permutation(len(told))[: round(share * len(told))]
    told[rows] = (told[rows] + chance.integers(1, 10, len(rows))) % 10
    return told


def answering(*parts):
    """A model that tells each row of the parts (x, digits) as they have it."""
    told = {
        row.tobytes(): digit for x, digits in parts for row, digit in zip(x, digits, strict=True)
    }

    def model(x):
        digits = [told.get(np.asarray(row, np.float32).tobytes(), 0) for row in x]
        return np.eye(10, dtype=np.float32)[digits] * 0.9 + 0.01

    return model


@pytest.mark.parametrize(
    ("unseen", "wrong", "fault"), [(200, 0.11, False), (200, 0.17, True), (800, 0.15, True)]
)
def test_a_gap_to_a_few_unseen_rows_is_no_fault_before_it_is_sure(arrays, unseen, wrong, fault):
    train, validation = of_rows(arrays.train, 1_500), of_rows(arrays.validation, unseen)
    model = answering(train, (validation[0], errs_on(wrong, validation[1])))
    found = tenfold.diagnose(model=model, train=train, validation=validation)
    assert found.findings[0].cause == "overfitting"
    assert found.findings[0].fault is fault


@pytest.mark.parametrize(
    ("wrong", "after", "rise", "fault"),
    [
        (0.03, 0, 1.0, None),
        (0.06, 0, 1.0, False),
        (0.06, 9, 1.3, True),
        (0.06, 6, 1.3, False),
        (0.06, 9, 1.1, False),
        (0.03, 9, 1.3, False),
        (0.08, 9, 1.1, False),
        (0.15, 0, 1.0, True),
    ],
)
def test_overfitting_is_a_fault_by_a_wide_gap_or_by_a_loss_that_rose_for_long(
    arrays, wrong, after, rise, fault
):
    train, validation = of_rows(arrays.train, 1_500), of_rows(arrays.validation, 800)
    # Those of the last weights, whose answers cost 0.2 to 0.8.
    losses = [1.3, 1.2, 1.1, *np.linspace(1.1, 1.1 * rise, after + 1)[1:]]
    history = {"loss": [0.1] * len(losses), "val_loss": losses}
    model = answering(train, (validation[0], errs_on(wrong, validation[1])))
    found = tenfold.diagnose(model=model, train=train, validation=validation, history=history)
    overfit = [f.fault for f in found.findings if f.cause == "overfitting"]
    assert overfit == ([] if fault is None else [fault])


def test_a_loss_that_rose_after_the_weights_that_were_kept_is_not_theirs(arrays):
    train, validation = of_rows(arrays.train, 1_500), of_rows(arrays.validation, 800)
    model = answering(train, (validation[0], errs_on(0.06, validation[1])))
    # By hand: probabilities of 0.91 for what is told and of 0.01 for anything else.
    own = 0.94 * -np.log(0.91) + 0.06 * -np.log(0.01)
    rising = [2 * own, own, *np.linspace(own, 1.5 * own, 10)]

    def found(losses):
        history = {"loss": [0.1] * len(losses), "val_loss": losses}
        return tenfold.diagnose(model=model, train=train, validation=validation, history=history)

    assert found(rising).faults == ()
    assert "was lowest" not in str(found(rising))
    assert found([loss / 1.5 for loss in rising]).cause == "overfitting"


@pytest.mark.parametrize(
    ("last", "cause"), [(1.0, "unexplained"), (0.995, "unexplained"), (0.9, "under_training")]
)
def test_more_of_the_same_training_is_advised_only_where_the_loss_still_fell(arrays, last, cause):
    train = of_rows(arrays.train, 1_500)
    model = answering((train[0], errs_on(0.4, train[1])))
    history = {"loss": [1.4, 1.2, 1.1, 1.05, 1.0, last]}
    assert tenfold.diagnose(model=model, train=train, history=history).cause == cause
