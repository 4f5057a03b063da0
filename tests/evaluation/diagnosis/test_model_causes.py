"""Faults in how a network was put together are named before it has learnt anything."""

import warnings
from importlib.util import find_spec
from typing import Any

import numpy as np
import plantings_in_models
import pytest
from planting import PLANTINGS, Planting
from scripts import Array, Arrays, dense, fitted, flat
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import tenfold
from tenfold.evaluation.diagnosis import backend
from tenfold.evaluation.diagnosis.evidence import Evidence
from tenfold.evaluation.diagnosis.inputs import part_of
from tenfold.evaluation.diagnosis.models import model_of
from tenfold.statistics import Proportion
from tenfold.training import diagnose_run

pytestmark = pytest.mark.slow

BY_STRUCTURE = (
    "output_activation", "softmax_twice", "logits_as_probabilities", "wrong_loss", "wrong_output_units", "no_nonlinearity",
)  # fmt: skip
UNTRAINED = [p for p in PLANTINGS if p.cause in BY_STRUCTURE]


@pytest.fixture(autouse=True)
def _the_backend_is_right(monkeypatch):
    """An untrained network does badly, and the control run that calls for takes seconds."""
    monkeypatch.setattr(backend, "control_run", lambda _: (1e-6, Proportion(900, 1_000)))


def compiled(
    arrays: Arrays,
    layers: list[Any],
    *,
    optimizer: Any = "adam",
    loss: Any = "sparse_categorical_crossentropy",
    metrics: Any = ("accuracy",),
    **_: Any,
) -> dict[str, Any]:
    """As `fitted`, without the training."""
    import keras

    model = keras.Sequential([keras.Input(arrays.train[0].shape[1:]), *layers])
    model.compile(optimizer, loss, metrics=list(metrics))
    return {"model": model, "train": arrays.train, "validation": arrays.validation}


@pytest.mark.parametrize("planting", UNTRAINED, ids=lambda p: p.name)
def test_a_fault_in_the_network_is_named_first(planting: Planting, few, monkeypatch):
    monkeypatch.setattr(plantings_in_models, "fitted", compiled)
    some = Arrays(*((x[:300], y[:300]) for x, y in few))
    diagnosis = tenfold.diagnose(**planting.plant(some, np.random.default_rng(1)))
    assert diagnosis.cause == planting.cause, str(diagnosis)


def test_a_few_large_steps_are_few_and_not_too_large(few):
    # 25 steps that do well; the same rate for 600 would not.
    given = fitted(few.scaled(), dense(64), optimizer="adam", epochs=1, batch_size=128)
    given["model"].optimizer.learning_rate = 0.02
    diagnosis = tenfold.diagnose(**given)
    assert diagnosis.cause == "under_training", str(diagnosis)


def test_a_run_is_told_what_to_change_of_its_recipe(tmp_path):
    parts = tenfold.load("mnist5k")
    run = tenfold.train("fast", parts, out=tmp_path / "run", say=lambda _: None)
    diagnosis = diagnose_run(run.folder, parts)
    # Its 15 steps are made for 60,000 images: 91 % on these.
    assert diagnosis.cause == "under_training", str(diagnosis)
    assert "It took 15 steps." in diagnosis.faults[0].evidence
    assert diagnosis.faults[0].fix.startswith("recipe = dataclasses.replace(recipe, epochs=")


def test_an_untrained_network_is_said_to_be_untrained_and_nothing_else(few):
    diagnosis = tenfold.diagnose(**compiled(few.scaled(), dense(64, 32)))
    assert [f.cause for f in diagnosis.faults] == ["under_training"]


def test_a_network_is_left_as_it_was(few):
    from keras import layers

    given = compiled(few.scaled(), dense(16, between=lambda: layers.BatchNormalization()))
    before = [w.copy() for w in given["model"].get_weights()]
    tenfold.diagnose(**given)
    for now, then in zip(given["model"].get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize("halved_every", [5, 20])
def test_a_rate_that_came_to_nothing_is_shown_and_named(halved_every, few):
    import keras

    rate = keras.optimizers.schedules.ExponentialDecay(0.05, halved_every, 0.5)
    given = compiled(few.scaled(), dense(64, 32), optimizer=keras.optimizers.SGD(rate))
    given["model"].optimizer.iterations.assign(600)
    found = tenfold.diagnose(**given)
    assert found.cause == "learning_rate_too_low"
    assert "SGD 0.05 to " in found.looked_at["model"]


@pytest.mark.parametrize(("cost", "named"), [(0.025, False), (0.07, True)])
def test_kept_statistics_are_blamed_for_more_than_weights_that_ran_ahead_of_them(
    cost, named, arrays
):
    from keras import layers

    norms = layers.BatchNormalization(momentum=0.9)
    given = fitted(arrays.scaled(), [*dense(64)[:1], norms, *dense(32)])
    model, (x, y) = given["model"], arrays.scaled().train

    def share() -> float:
        return float((model.predict(x, verbose=0).argmax(axis=1) == y).mean())

    best, variance = share(), np.array(norms.moving_variance)
    rng = np.random.default_rng(0)
    wrong = np.exp(rng.normal(size=variance.shape))
    low, strength = 0.0, 3.0
    for _ in range(8):
        middle = (low + strength) / 2
        norms.moving_variance.assign(variance * wrong**middle)
        low, strength = (low, middle) if share() < best - cost else (middle, strength)
    norms.moving_variance.assign(variance * wrong**strength)
    # A known cost: by chance alone, sound networks of a few epochs have one of 2 to 3 points.
    assert best - cost - 0.02 < share() < best - cost
    assert (tenfold.diagnose(**given).cause == "batch_norm_too_slow") == named


@pytest.mark.parametrize(
    ("gap", "right", "found"),
    [(1e-6, 890, False), (0.3, 890, True), (float("nan"), 890, True), (1e-6, 500, True)],
)
def test_a_backend_is_blamed_for_wrong_numbers_and_for_a_known_recipe_that_fails(
    gap, right, found, few, monkeypatch
):
    monkeypatch.setattr(backend, "control_run", lambda _: (gap, Proportion(right, 1_000)))
    diagnosis = tenfold.diagnose(**compiled(few.scaled(), dense(64, 32)))
    assert (diagnosis.cause == "backend_computes_wrongly") == found


def test_the_control_run_is_numpys_arithmetic(few):
    """Against Keras itself: the network of the control run, its weights, its answers."""
    import keras

    weights = backend._start()
    network = keras.Sequential([keras.Input((784,)), *dense(64, 32)])
    network.set_weights(weights)
    x = flat(few.test[0])
    np.testing.assert_allclose(
        network.predict(x, verbose=0), backend._by_numpy(weights, x), atol=1e-5
    )


def test_a_layer_that_scales_is_seen(few):
    from keras import layers

    from tenfold.evaluation.diagnosis.data import seen_by_weights

    x = few.train[0].astype("float32")
    raw = Arrays(*((part[0].astype("float32"), part[1]) for part in few))
    given = compiled(raw, [layers.Rescaling(1 / 255), layers.Flatten(), *dense(8)])
    seen = seen_by_weights(model_of(given["model"]), x)
    assert seen is not None
    assert float(seen.max()) == pytest.approx(1.0)
    assert Evidence({"train": part_of("train", raw.train)}, None, None).train is not None


@pytest.mark.parametrize(
    ("classifier", "cause", "fix"),
    [
        (MLPClassifier((64,), learning_rate_init=0.5, max_iter=5), "learning_rate_too_high", "learning_rate_init=0.001"),
        (MLPClassifier((64,), learning_rate_init=1e-6, max_iter=5), "learning_rate_too_low", "learning_rate_init=0.001"),
        (MLPClassifier((64,), activation="identity"), "no_nonlinearity", "activation='relu'"),
        (MLPClassifier((64,), alpha=100.0), "weight_decay_too_strong", "alpha=0.0001"),
        (make_pipeline(StandardScaler(), LogisticRegression(C=1e-6)), "weight_decay_too_strong", "logisticregression__C=1.0"),
    ],
    ids=lambda given: given if isinstance(given, str) else type(given).__name__,
)  # fmt: skip
def test_a_classifier_of_scikit_learn_is_asked_how_it_was_set(classifier, cause, fix, few):
    (x, y), *_ = few.scaled()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = tenfold.diagnose(model=classifier.fit(x, y), train=(x, y))
    assert found.cause == cause, str(found)
    assert f"clf.set_params({fix})" in found.faults[0].fix


@pytest.mark.parametrize("gamma", ["auto", "scale"])
def test_a_support_vector_machine_needs_scaled_pixels_where_its_width_does_not_follow_them(
    gamma, few
):
    raw = few.map(lambda x: x.reshape(len(x), -1))
    machine = SVC(gamma=gamma).fit(*raw.train)
    found = tenfold.diagnose(model=machine, train=raw.train, test=raw.test)
    assert found.cause == {"auto": "unscaled_pixels", "scale": None}[gamma], str(found)


def test_a_division_of_sorted_rows_is_named_also_where_no_network_made_it(few):
    (x, y), *_ = few.scaled()
    order = np.argsort(y, kind="stable")
    (ours, held), (labels, theirs) = (np.split(a[order], [1280]) for a in (x, y))
    machine = SVC().fit(ours, labels)
    found = tenfold.diagnose(model=machine, train=(ours, labels), test=(held, theirs))
    assert found.cause == "sorted_split", str(found)


def test_batches_in_order_of_their_labels_are_named_for_a_network_of_scikit_learn(few):
    (x, y), *_ = few.scaled()
    order = np.argsort(y, kind="stable")
    network = MLPClassifier((64,), random_state=0)
    for _ in range(3):
        for rows in np.split(order, 16):
            network.partial_fit(x[rows], y[rows], classes=range(10))
    found = tenfold.diagnose(model=network, train=(x[order], y[order]))
    assert found.cause == "sorted_not_shuffled", str(found)


def test_a_layer_of_somebodys_own_that_bends_nothing_is_found_by_its_numbers(few):
    import keras

    class Nothing(keras.layers.Layer):
        def call(self, x):
            return x

    def found(last):
        layers = [*dense(64)[:1], Nothing(), *last, *dense()]
        layers[0].activation = keras.activations.linear
        return tenfold.diagnose(**compiled(few.scaled(), layers))

    assert "no_nonlinearity" in [f.cause for f in found([]).faults]
    assert "no_nonlinearity" not in [f.cause for f in found([keras.layers.ReLU()]).faults]


def test_weights_of_a_layer_of_somebodys_own_are_seen_not_to_be_trained(few):
    import keras

    class Fixed(keras.layers.Layer):
        def build(self, shape):
            self.kernel = self.add_weight(shape=(shape[-1], 32), trainable=False)

        def call(self, x):
            return keras.ops.relu(x @ self.kernel)

    for layer, fixed in ((Fixed(), True), (keras.layers.Dense(32, activation="relu"), False)):
        found = tenfold.diagnose(**compiled(few.scaled(), [layer, *dense()]))
        assert ("frozen_layers" in [f.cause for f in found.faults]) is fixed, str(found)


@pytest.mark.parametrize("kind", ["function", *["module"] * bool(find_spec("torch"))])
def test_what_answers_with_tensors_that_keep_gradients_is_asked(kind, few):
    rows = few.scaled()
    plane = RidgeClassifier().fit(*rows.train)

    class Tensor:
        def __init__(self, values: Array) -> None:
            self.values = values

        def detach(self) -> "Tensor":
            return Tensor(self.values)

        def cpu(self) -> Array:
            return self.values

        def __array__(self, *_: Any, **__: Any) -> Array:
            raise RuntimeError("Can't call numpy() on a tensor that requires grad.")

    model = lambda x: Tensor(plane.decision_function(x))  # noqa: E731
    if kind == "module":
        import torch

        model = torch.nn.Sequential(torch.nn.Dropout(0.9), torch.nn.Linear(784, 10))
        with torch.no_grad():
            for to, values in zip(
                model[1].parameters(), (plane.coef_, plane.intercept_), strict=True
            ):
                to.copy_(torch.as_tensor(values))
    found = tenfold.diagnose(model=model, train=rows.train, test=rows.test)
    right = round(plane.score(*rows.test) * len(rows.test[1]))
    assert f"({right}/{len(rows.test[1])};" in found.looked_at["test"]
    assert kind == "function" or model.training  # as it was


def test_columns_of_a_classifier_are_those_of_its_classes(few):
    # A hand calculation: of six digits the columns are not the digits.
    x, y = few.scaled().train
    some = np.isin(y, [1, 3, 5, 6, 8, 9])
    plane = LogisticRegression(max_iter=300).fit(x[some], y[some])
    found = tenfold.diagnose(model=plane, train=(x[some], y[some]))
    right = int((plane.predict(x[some]) == y[some]).sum())
    assert f"({right:,}/{some.sum():,};" in found.looked_at["train"]
    assert found.looked_at["model"] == "LogisticRegression"
    assert "wrong_output_units" not in [f.cause for f in found.findings]


def test_a_classifier_that_was_never_fitted_is_said_to_refuse(few):
    # A forest without trees has no length, and so is neither true nor false.
    (x, y), *_ = few.scaled()
    found = tenfold.diagnose(model=RandomForestClassifier(), train=(x, y))
    assert found.cause == "wrong_shape"
    assert "not fitted yet" in found.faults[0].evidence


def test_a_network_that_answers_the_same_to_every_picture_is_not_told_to_go_on(few):
    (x, y), *_ = few.scaled()
    blind = np.linspace(0.05, 0.15, 10)
    history = {"loss": [2.303, 2.302, 2.301]}
    found = tenfold.diagnose(
        model=lambda x: np.tile(blind, (len(x), 1)), train=(x, y), history=history
    )
    assert found.cause == "unexplained", str(found)
    assert "the same to every picture" in found.faults[0].evidence


def test_a_model_that_warns_is_asked_in_silence(few, recwarn):
    (x, y), *_ = few.scaled()

    class Warns:
        def get_config(self) -> dict[str, Any]:
            warnings.warn("of itself", UserWarning, stacklevel=2)
            return {}

        def predict(self, x: Array) -> Array:
            warnings.warn("of what it is asked", UserWarning, stacklevel=2)
            return np.zeros(len(x))

    tenfold.diagnose(model=Warns(), train=(x, y))
    assert [str(one.message) for one in recwarn if "of " in str(one.message)] == []


def test_signs_are_right_for_a_hinge_and_wrong_for_a_cross_entropy(few):
    signs = few.scaled().map(y=lambda y: np.where(np.eye(10)[y] > 0, 1.0, -1.0))
    hinge = compiled(signs, dense(64, last=None), loss="squared_hinge")
    assert "one_hot_wrong" not in [f.cause for f in tenfold.diagnose(**hinge).findings]
    other = compiled(signs, dense(64), loss="categorical_crossentropy")
    assert tenfold.diagnose(**other).cause == "one_hot_wrong"
