"""What of this room needs Keras: its layers beside the ONNX graph, and the scripts, executed."""

import runpy
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from tenfold.errors import UsageError
from tenfold.layers import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool,
    MaxPool,
    ReLU,
    Residual,
)
from tenfold.modelfile import OnnxClassifier, to_script
from tenfold.modelfile.onnx_graph import to_onnx
from tenfold.network import Network
from tenfold.recipe import SGD, Adam, AdamW, EarlyStopping, OneCycle, Recipe
from tenfold.recipes import RECIPES


@pytest.fixture(scope="module")
def keras():
    import keras

    return keras


# Each: the network without its last Dense(10), and the same as a Keras user writes it.
LAYERS = {
    "dense": ([Dense(7), ReLU()], lambda k: [k.Flatten(), k.Dense(7, activation="relu")]),
    "dense without bias": (
        [Dense(5, bias=False)],
        lambda k: [k.Flatten(), k.Dense(5, use_bias=False)],
    ),
    "same": ([Conv2D(3)], lambda k: [k.Conv2D(3, 3, padding="same"), k.Flatten()]),
    "valid": ([Conv2D(3, 5, padding="valid")], lambda k: [k.Conv2D(3, 5), k.Flatten()]),
    "even same": ([Conv2D(2, 4)], lambda k: [k.Conv2D(2, 4, padding="same"), k.Flatten()]),
    "strided same": (
        [Conv2D(2, 3, 2), Conv2D(3, 5, 3)],
        lambda k: [
            k.Conv2D(2, 3, strides=2, padding="same"),
            k.Conv2D(3, 5, strides=3, padding="same"),
            k.Flatten(),
        ],
    ),
    "even strided same": (
        [Conv2D(2, 2, 3), Conv2D(2, 4, 2)],
        lambda k: [
            k.Conv2D(2, 2, strides=3, padding="same"),
            k.Conv2D(2, 4, strides=2, padding="same"),
            k.Flatten(),
        ],
    ),
    "strided valid without bias": (
        [Conv2D(2, 3, 4, "valid", bias=False)],
        lambda k: [k.Conv2D(2, 3, strides=4, use_bias=False), k.Flatten()],
    ),
    "pool with a remainder": ([MaxPool(3)], lambda k: [k.MaxPooling2D(3), k.Flatten()]),
    "global average": (
        [Conv2D(6), GlobalAveragePool()],
        lambda k: [k.Conv2D(6, 3, padding="same"), k.GlobalAveragePooling2D()],
    ),
    "batch norm of pictures": (
        [Conv2D(3), BatchNorm(), ReLU()],
        lambda k: [k.Conv2D(3, 3, padding="same"), k.BatchNormalization(), k.ReLU(), k.Flatten()],
    ),
    "batch norm of rows": (
        [Dense(6), BatchNorm(epsilon=0.2)],
        lambda k: [k.Flatten(), k.Dense(6), k.BatchNormalization(epsilon=0.2)],
    ),
    "dropout": ([Dropout(0.5), Flatten()], lambda k: [k.Dropout(0.5), k.Flatten()]),
}


def assert_same(network, model, weights, images):
    """Give Keras the weights in the order in which it made its own, and ask both."""
    for variable, parameter in zip(model.weights, network.parameters, strict=True):
        variable.assign(weights[parameter.name])
    expected = np.asarray(model(images[..., None].astype("float32") / 255, training=False))
    answer = OnnxClassifier(to_onnx(network, weights), source="test").predict_proba(images)
    # Both compute in float32, in another order of sums.
    assert answer == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("ours", "theirs"), LAYERS.values(), ids=LAYERS)
def test_each_layer_is_keras_own(keras, draw_weights, noise, ours, theirs):
    network = Network(*ours, Dense(10))
    last = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((28, 28, 1)), *theirs(keras.layers), last])
    assert_same(network, model, draw_weights(network), noise)


def test_a_residual_is_keras_add(keras, draw_weights, noise):
    network = Network(
        Conv2D(3, 3, 2), Residual(Conv2D(3, 2), BatchNorm(), ReLU()), GlobalAveragePool(), Dense(10)
    )
    inputs = keras.Input((28, 28, 1))
    shortcut = keras.layers.Conv2D(3, 3, strides=2, padding="same")(inputs)
    x = keras.layers.Conv2D(3, 2, padding="same")(shortcut)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Add()([shortcut, x]))
    model = keras.Model(inputs, keras.layers.Dense(10, activation="softmax")(x))
    assert_same(network, model, draw_weights(network), noise)


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
    optimizer=Adam(0.003, beta_1=0.8, epsilon=1e-8),
    schedule=OneCycle(warmup=0.0, end=0.0),
    early_stopping=EarlyStopping(patience=4),
)
SCRIPTS = {
    "seed": RECIPES["seed"].recipe,
    "cnn": RECIPES["cnn"].recipe,
    "residual": RESIDUAL,
    "early stopping": STOPPING,
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


def execute(script, folder):
    """The script's names after it ran, with the last 160 pictures as its test part."""
    assert script.count("[:-10_000]") == script.count("[-10_000:]") == 2
    (folder / "script.py").write_text(script.replace("10_000", "160"))
    return runpy.run_path(str(folder / "script.py"))


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_builds_and_trains_what_the_recipe_says(keras, striped_digits, tmp_path, name):
    recipe = replace(SCRIPTS[name], epochs=1)
    names = execute(to_script(recipe, name=name), tmp_path)
    model, optimizer = names["model"], names["model"].optimizer
    assert model.count_params() == recipe.network.parameter_count
    shapes = [tuple(variable.shape) for variable in model.weights]
    assert shapes == [parameter.shape for parameter in recipe.network.parameters]
    assert model.loss == "categorical_crossentropy"
    assert type(optimizer).__name__ == type(recipe.optimizer).__name__
    for field in fields(recipe.optimizer):
        if field.name != "learning_rate":
            assert getattr(optimizer, field.name) == getattr(recipe.optimizer, field.name)
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


@pytest.mark.parametrize(
    "recipe", [*SCRIPTS.values(), *(named.recipe for named in RECIPES.values())]
)
def test_no_line_of_a_script_is_too_long_to_read(recipe):
    assert max(len(line) for line in to_script(recipe, name="recipe").splitlines()) <= 100


@pytest.mark.parametrize("name", ["", '"""\nimport os', "$name", "x" * 65, "a\n", "it's", "ü"])
def test_a_name_that_could_become_code_is_refused(name):
    with pytest.raises(UsageError, match="letters"):
        to_script(RESIDUAL, name=name)


def test_every_part_of_a_recipe_has_its_place_in_the_script():
    # Whoever adds a part to Recipe must say what it is in Keras.
    assert {field.name for field in fields(Recipe)} == {
        "network", "engine", "optimizer", "schedule", "batch_size", "epochs", "validation_share",
        "early_stopping",
    }  # fmt: skip
