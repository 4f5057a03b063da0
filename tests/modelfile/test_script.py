"""The scripts, executed: what Keras makes of them is what the recipe says."""

import ast
import math
import runpy
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from tenfold.augmentation import Cutout, Elastic, Rotate, Scale, Shear, Shift
from tenfold.classifiers import Shifted
from tenfold.digits import Digits
from tenfold.errors import UsageError
from tenfold.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    GlobalAveragePool,
    ReLU,
    Residual,
    Whitening,
)
from tenfold.modelfile import to_script
from tenfold.network import Network
from tenfold.recipe import (
    SGD,
    Adam,
    AdamW,
    Averaging,
    Distillation,
    EarlyStopping,
    OneCycle,
    Recipe,
)
from tenfold.recipes import RECIPES
from tenfold.training.targets import taught_targets


@pytest.fixture(scope="module", autouse=True)
def keras():
    import keras

    return keras


RESIDUAL = Recipe(
    Network(
        Conv2D(4, 4, 2, "valid", bias=False), BatchNorm(epsilon=1e-5), ReLU(),
        Residual(Conv2D(4), ReLU(), Residual(ReLU(), Dropout(0.25))), ReLU(),
        GlobalAveragePool(), Dense(10, bias=False), BatchNorm(momentum=0.99),
    ),
    optimizer=SGD(0.07, momentum=0.9, nesterov=True),
    batch_size=50,
    epochs=3,
    validation_share=0.0,
)  # fmt: skip
STOPPING = Recipe(
    Network(Dropout(0.1), BatchNorm(), Dense(16), ReLU(), Dense(10)),
    optimizer=Adam(0.003, beta_1=0.8, epsilon=1e-8), schedule=OneCycle(warmup=0.0, end=0.0),
    early_stopping=EarlyStopping(patience=4),
)  # fmt: skip
EVERY_KIND = (Shift(2), Rotate(10), Scale(0.25), Shear(15), Elastic(1.5), Cutout(8))
AUGMENTED = replace(RESIDUAL, augmentation=EVERY_KIND, averaging=Averaging(0.8))
# A teacher of rows and a student of pictures; each has something that the other lacks.
TAUGHT = Recipe(
    Network(Conv2D(4, 5, 3), BatchNorm(), ReLU(), Dense(10)),
    optimizer=AdamW(0.01, weight_decay=0.01),
    schedule=OneCycle(),
    batch_size=50,
    validation_share=0.25,
    label_smoothing=0.2,
    averaging=Averaging(0.9),
    test_time_shifts=2,
    distillation=Distillation(
        Recipe(
            Network(Dense(16), ReLU(), Dense(10)),
            optimizer=Adam(0.005),
            schedule=OneCycle(warmup=0.5),
            label_smoothing=0.1,
            epochs=2,
            validation_share=0.1,
            test_time_shifts=1,
        ),
        share=0.7,
        temperature=3.0,
    ),
)
WHITENED = Recipe(Network(Whitening(6, 3, stride=5), ReLU(), Dense(10)), label_smoothing=0.1)
SEVERAL = replace(STOPPING, members=2, epochs=2, precision="mixed")
TEACHERS = replace(TAUGHT.distillation.teacher, members=2)
TAUGHT_BY_SEVERAL = replace(TAUGHT, distillation=Distillation(TEACHERS, share=0.7))
SCRIPTS = {
    "seed": RECIPES["seed"].recipe,
    "cnn": RECIPES["cnn"].recipe,
    "early stopping": STOPPING,
    "residual and augmented": AUGMENTED,
    "whitened": WHITENED,
    "taught": TAUGHT,
    "several": SEVERAL,
}
# Small, so that they learn the striped pictures in a second.
LEARNERS = [
    Recipe(SCRIPTS["seed"].network, epochs=8, batch_size=20),
    Recipe(Network(Conv2D(8, 5, 2), ReLU(), Dense(10)), optimizer=AdamW(0.01), epochs=3),
]


@pytest.fixture
def striped_digits(monkeypatch, tmp_path):
    """What fetch_openml gives, but 760 pictures that are easy to learn: digit d is a bright row 2 d + 4."""
    digits = (np.arange(760) % 10).astype(np.uint8)
    pictures = np.random.default_rng(5).integers(0, 60, (760, 28, 28)).astype(np.uint8)
    pictures[np.arange(760), 2 * digits + 4] = 255

    def fetch_openml(name, **settings):
        assert name == "mnist_784"
        # The call that works with every pandas, and takes 55 MB instead of 440.
        assert settings == {
            "version": 1,
            "return_X_y": True,
            "as_frame": False,
            "parser": "pandas",
            "read_csv_kwargs": {"dtype": "uint8"},
        }
        return pictures.reshape(-1, 784), digits

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fetch_openml)
    monkeypatch.chdir(tmp_path)
    return pictures


def execute(script, folder):  # with the last 160 pictures as its test part
    assert script.count("[:-10_000]") == script.count("[-10_000:]") == 2
    (folder / "script.py").write_text(script.replace("10_000", "160"))
    return runpy.run_path(str(folder / "script.py"))


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_builds_and_trains_what_the_recipe_says(keras, striped_digits, tmp_path, name):
    recipe = replace(SCRIPTS[name], epochs=1)
    names = execute(to_script(recipe, name=name), tmp_path)
    model, optimizer = names["model"], names["model"].optimizer
    assert model.count_params() == recipe.network.parameter_count
    shapes = [tuple(variable.shape) for variable in model.weights]
    assert shapes == [parameter.shape for parameter in recipe.network.parameters]
    if recipe.label_smoothing and not recipe.distillation:
        assert model.loss.label_smoothing == recipe.label_smoothing
    else:
        assert model.loss == "categorical_crossentropy"
    assert type(optimizer).__name__ == type(recipe.optimizer).__name__
    for field in fields(recipe.optimizer):
        if field.name != "learning_rate":
            assert getattr(optimizer, field.name) == getattr(recipe.optimizer, field.name)
    assert optimizer.use_ema == (recipe.averaging is not None)
    if recipe.averaging:
        assert optimizer.ema_momentum == recipe.averaging.decay
    train_count = int(600 * (1 - recipe.validation_share))
    steps = -(-train_count // recipe.batch_size)
    assert int(optimizer.iterations.numpy()) == steps
    rates = recipe.learning_rates(0, steps=steps)
    if isinstance(recipe.schedule, OneCycle):
        theirs = [float(names["learning_rate"](step)) for step in range(steps)]
    else:
        theirs = [float(optimizer.learning_rate)] * steps
    # A float32 cosine, times the rate: seven digits of the highest rate.
    assert theirs == pytest.approx(rates, abs=1e-6 * recipe.optimizer.learning_rate)
    if name == "taught":
        assert_taught(names)
    if name == "whitened":
        assert_whitened(names)
    if name == "several":
        told = [model.predict(names["test_images"], verbose=0) for model in names["models"]]
        assert len(told) == recipe.members
        assert np.abs(told[0] - told[1]).max() > 0
        assert names["probabilities"] == pytest.approx(np.mean(told, axis=0), abs=1e-6)


class Asked:
    """A Classifier over a model of a script, which wants numbers 0..1."""

    def __init__(self, model):
        self.model = model

    def predict_proba(self, images):
        return self.model.predict(images[..., None].astype("float32") / 255, verbose=0)


def assert_taught(names):
    """The teacher learnt from the labels, the network from both, as it does here; validation stayed out."""
    teacher, distillation = names["teacher"], TAUGHT.distillation
    assert teacher.loss.label_smoothing == distillation.teacher.label_smoothing
    assert teacher.count_params() == distillation.teacher.network.parameter_count
    # 450 are left to learn from, 405 of them to the teacher: 13 steps of 32 in each of two epochs.
    assert int(teacher.optimizer.iterations.numpy()) == 2 * 13
    assert names["train_images"].shape == (450, 28, 28, 1)
    assert names["validation_images"].shape == (150, 28, 28, 1)
    pixels = np.rint(names["train_images"][..., 0] * 255).astype(np.uint8)
    digits = Digits(pixels, names["train_labels"].argmax(axis=1).astype(np.uint8), "a script")
    expected = taught_targets(TAUGHT, digits, Shifted(Asked(teacher), 1))
    assert names["targets"] == pytest.approx(expected, abs=1e-5)
    # And what is judged is the mean over the places that Shifted has.
    tested = np.rint(names["test_images"][..., 0] * 255).astype(np.uint8)
    expected = Shifted(Asked(names["model"]), 2).predict_proba(tested)
    assert names["probabilities"] == pytest.approx(expected, abs=1e-5)
    right = expected.argmax(axis=1) == names["test_labels"].argmax(axis=1)
    assert names["accuracy"] == right.mean()
    certainty = expected[np.arange(160), names["test_labels"].argmax(axis=1)]
    assert names["loss"] == pytest.approx(-np.log(certainty).mean(), rel=1e-4)


def assert_whitened(names):
    """After training still: in each direction v / (v + 0.005) is left of a variance v, and no covariance."""
    kernel = np.asarray(names["model"].layers[0].kernel).reshape(9, 6).astype(float)
    assert not names["model"].layers[0].trainable
    np.testing.assert_array_equal(kernel[:, 3:], -kernel[:, :3])
    images = names["train_images"][..., 0]
    windows = [images[:, r : r + 3, c : c + 3] for r in range(0, 26, 3) for c in range(0, 26, 3)]
    patches = np.concatenate(windows).reshape(-1, 9).astype(float)
    patches -= patches.mean(axis=0)
    largest = np.linalg.svd(patches, compute_uv=False)[:3] ** 2 / (len(patches) - 1)
    expected = np.diag(largest[::-1] / (largest[::-1] + 0.005))
    assert np.cov((patches @ kernel[:, :3]).T) == pytest.approx(expected, abs=1e-4)


@pytest.fixture(scope="module")
def random_layers(keras):
    """The layers before the network, by what they are called in Keras."""
    script = to_script(replace(LEARNERS[1], augmentation=EVERY_KIND), name="augmented")
    tree = ast.parse(script)
    # The definitions and the model; not the reading of MNIST, and no training.
    kept = (ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef)
    body = [n for n in tree.body if isinstance(n, kept) or ast.unparse(n).startswith("model = ")]
    names = {"__name__": "script"}
    exec(compile(ast.Module(body, []), "script", "exec"), names)  # our own text
    layers = {type(layer).__name__: layer for layer in names["model"].layers}
    assert list(layers)[:6] == [
        "RandomShear", "RandomZoom", "RandomRotation", "RandomTranslation", "Elastic",
        "RandomErasing",
    ]  # fmt: skip
    return layers


@pytest.fixture
def mapped(keras, random_layers):
    """What a layer does to 2,000 pictures whose two channels are the rows and the columns: matrix and shift
    of old places, of new ones counted from the centre."""

    def of(name):
        places = np.stack(np.indices((28, 28)), axis=-1).astype("float32")
        given = np.broadcast_to(places, (2_000, 28, 28, 2))
        # Far from the frame, beyond which there is nothing.
        result = np.asarray(random_layers[name](given, training=True))[:, 9:19, 9:19]
        rows, columns = (np.indices((10, 10)).reshape(2, 100) + 9) - 13.5
        design = np.stack([rows, columns, np.ones(100)], axis=1)
        solved = np.linalg.pinv(design) @ (result.reshape(2_000, 100, 2) - 13.5)
        return solved[:, :2].transpose(0, 2, 1), solved[:, 2]

    return of


def assert_spread(values, low, high):
    """All within, and so near to both ends as 2,000 even draws come but once in 20,000 trials."""
    assert low - 1e-3 <= values.min() < low + 0.005 * (high - low)
    assert high - 0.005 * (high - low) < values.max() <= high + 1e-3


def test_pictures_are_shifted_turned_stretched_and_slanted_as_far_as_the_recipe_says(mapped):
    matrix, shift = mapped("RandomTranslation")
    assert_spread(shift[:, 0], -2, 2)
    assert_spread(shift[:, 1], -2, 2)
    matrix, shift = mapped("RandomRotation")
    assert_spread(np.degrees(np.arctan2(matrix[:, 0, 1], matrix[:, 0, 0])), -10, 10)
    assert np.abs(shift).max() < 1e-3
    matrix, shift = mapped("RandomZoom")
    assert_spread(matrix[:, 0, 0], 1 / 1.25, 1.25)
    assert_spread(matrix[:, 1, 1], 1 / 1.25, 1.25)
    assert abs(np.corrcoef(matrix[:, 0, 0], matrix[:, 1, 1])[0, 1]) < 5 / 45
    assert np.abs(shift).max() < 1e-3
    matrix, _ = mapped("RandomShear")
    assert_spread(matrix[:, 1, 0], -math.tan(math.radians(15)), math.tan(math.radians(15)))
    assert matrix[:, [0, 0, 1], [0, 1, 1]] == pytest.approx(np.tile([1.0, 0, 1], (2_000, 1)), abs=1e-3)  # fmt: skip


def test_pictures_are_bent_as_far_and_as_smoothly_as_the_recipe_says(random_layers):
    rows = np.broadcast_to(np.arange(28, dtype="float32")[:, None, None], (500, 28, 28, 1))
    moved = []
    for given in (rows, rows.transpose(0, 2, 1, 3)):
        random_layers["Elastic"].seed.state.assign([3, 0])
        result = np.asarray(random_layers["Elastic"](given, training=True))
        moved.append((result - given)[:, 8:20, 8:20, 0])
    for field in moved:
        # At most 500 times (12 / 9)^2 independent values, and half a bell at the edges: within 5 %.
        assert field.std() == pytest.approx(1.5, rel=0.05)
        # Neighbours under a bell of 4 pixels, as for our own.
        assert np.diff(field, axis=2).std() == pytest.approx(1.5 * 0.176, rel=0.06)
    for one, other in ((moved[0], moved[1]), (moved[0][:-1], moved[0][1:])):
        assert abs(np.corrcoef(one[:, 6, 6], other[:, 6, 6])[0, 1]) < 5 / 22


def test_a_square_of_the_side_that_the_recipe_says_is_blanked(random_layers):
    left = np.asarray(random_layers["RandomErasing"](np.ones((500, 28, 28, 1)), training=True))
    blanked = (left == 0).sum(axis=(1, 2, 3))
    # A side of 8.000001 pixels covers a ninth now and then.
    assert np.mean(blanked == 64) > 0.99


def test_in_use_no_picture_is_changed(random_layers):
    given = np.random.default_rng(0).random((3, 28, 28, 1)).astype("float32")
    for name, layer in random_layers.items():
        if name.startswith("Random") or name == "Elastic":
            np.testing.assert_array_equal(layer(given, training=False), given)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", LEARNERS, ids=["rows", "pictures"])
def test_a_script_learns_reports_and_writes_a_submission(
    keras, striped_digits, tmp_path, capsys, recipe
):
    header = ",".join(f"pixel{i}" for i in range(784))
    rows = striped_digits[-7:].reshape(7, 784)
    np.savetxt(tmp_path / "test.csv", rows, "%d", delimiter=",", header=header, comments="")
    names = execute(to_script(recipe, name="learner"), tmp_path)
    # Untrained, a tenth is right; a script that muddled pixels or labels would stay there.
    assert names["accuracy"] > 0.95
    assert f"Test: {names['accuracy']:.2%} of 160 images right" in capsys.readouterr().out
    submission = pd.read_csv(tmp_path / "submission.csv")
    assert submission["ImageId"].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert submission["Label"].tolist() == [3, 4, 5, 6, 7, 8, 9]


def test_a_script_reads_as_a_keras_user_would_have_written_it():
    script = to_script(replace(RECIPES["seed"].recipe, epochs=5), name="seed")
    for line in [
        "        keras.Input((784,)),",
        '        layers.Dense(64, activation="relu"),',
        '        layers.Dense(32, activation="relu"),',
        '        layers.Dense(10, activation="softmax"),',
        "    optimizer=keras.optimizers.Adam(learning_rate=0.001),",
        "    batch_size=32,",
        "    epochs=5,",
        "    validation_split=0.2,",
    ]:
        assert line in script.splitlines()
    stopping = "EarlyStopping(patience=4, restore_best_weights=True)"
    assert stopping in to_script(STOPPING, name="stopping")
    assert "EarlyStopping" not in script
    taught = to_script(TAUGHT, name="taught")
    assert "teacher.fit(\n    train_images,\n    train_labels," in taught
    assert "model.fit(\n    train_images,\n    targets," in taught


@pytest.mark.parametrize(
    "recipe", [*SCRIPTS.values(), TAUGHT_BY_SEVERAL, *(named.recipe for named in RECIPES.values())]
)
def test_no_line_of_a_script_is_too_long_to_read(recipe):
    recipe = replace(recipe, written_digits=0.0, non_digits=None, calibrated=False)
    assert max(map(len, to_script(recipe, name="recipe").splitlines())) <= 100


@pytest.mark.parametrize("name", ["", '"""\nimport os', "$name", "x" * 65, "a\n", "it's", "ü"])
def test_a_name_that_could_become_code_is_refused(name):
    with pytest.raises(UsageError, match="letters"):
        to_script(RESIDUAL, name=name)


def test_every_part_of_a_recipe_has_its_place_in_the_script_or_is_refused():
    plain, teacher = replace(RESIDUAL, validation_share=0.2), RECIPES["seed"].recipe
    others = {
        "network": teacher.network,
        "optimizer": Adam(),
        "schedule": OneCycle(),
        "batch_size": 51,
        "precision": "mixed",
        "epochs": 4,
        "validation_share": 0.0,
        "early_stopping": EarlyStopping(),
        "augmentation": (Rotate(5),),
        "label_smoothing": 0.1,
        "averaging": Averaging(),
        "distillation": Distillation(teacher),
        "test_time_shifts": 1,
        "members": 2,
    }
    refused = {"written_digits", "non_digits", "calibrated"}
    assert {field.name for field in fields(Recipe)} == others.keys() | refused | {"engine"}
    scripts = {
        name: to_script(replace(plain, **{name: value}), name="x") for name, value in others.items()
    }
    assert len({to_script(plain, name="x"), *scripts.values()}) == 1 + len(others)
    assert to_script(replace(plain, engine="numpy"), name="x") == to_script(plain, name="x")


def test_a_teachers_teacher_is_refused_with_a_sentence():
    taught_twice = replace(TAUGHT, distillation=Distillation(TAUGHT))
    with pytest.raises(UsageError, match="holds one teacher"):
        to_script(taught_twice, name="x")
