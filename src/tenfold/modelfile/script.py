"""A recipe -> the standalone Keras script that does the same: what a Keras user would have written.

The script needs no tenfold. It differs from a run of tenfold only in what Keras decides: the order of
the images, a smaller last batch, and the validation part, which is the last share of the training
images and not a random one. Knows nothing about running it.
"""

import math
import re
from dataclasses import fields
from string import Template

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
    Shape,
)
from tenfold.network import INPUT_SHAPE, Network, Step
from tenfold.recipe import OneCycle, Recipe


def to_script(recipe: Recipe, *, name: str) -> str:
    """The script as text; `python script.py` trains, tests and, beside a test.csv, writes a submission.

    Args:
        recipe: what it trains. One for the NumPy engine gives the same network, trained by Keras.
        name: the recipe's name, ASCII: up to 64 letters, digits, "-", "_", "." and spaces.

    Raises:
        UsageError: the name holds something else, which could become code in the script.
    """
    if not re.fullmatch(r"[\w. -]{1,64}", name, flags=re.ASCII):
        raise UsageError(
            f"name: expected up to 64 letters, digits, '-', '_', '.' or spaces, received {name!r}."
        )
    flat = isinstance(recipe.network.plan[0].layer, Flatten)
    shape = (math.prod(INPUT_SHAPE),) if flat else INPUT_SHAPE
    one_cycle = isinstance(recipe.schedule, OneCycle)
    return (
        _HEAD.substitute(name=name, shape=(-1, *shape), math="import math\n" * one_cycle)
        + _model(recipe.network, shape)
        + (_one_cycle(recipe, recipe.schedule) if isinstance(recipe.schedule, OneCycle) else "")
        + _training(recipe)
        + _USE
    )


_HEAD = Template('''\
"""Train the network "$name" on MNIST with Keras. Written by tenfold.

Needs keras with a backend (tensorflow, jax or torch), scikit-learn and pandas.
"""

${math}import pathlib

import keras
import pandas as pd
from keras import layers
from sklearn.datasets import fetch_openml

keras.utils.set_random_seed(0)


def to_input(pixels):
    """Rows of 784 pixels 0..255 -> numbers 0..1 in the shape that the network takes."""
    return pixels.reshape($shape).astype("float32") / 255


# 70,000 pictures. Read as uint8 they take 55 MB, and the labels are numbers, not words.
pixels, digits = fetch_openml(
    "mnist_784",
    version=1,
    return_X_y=True,
    as_frame=False,
    parser="pandas",
    read_csv_kwargs={"dtype": "uint8"},
)
images = to_input(pixels)
labels = keras.utils.to_categorical(digits, 10)  # 3 becomes 0 0 0 1 0 0 0 0 0 0

# The last 10,000 are for the test: nothing is trained on them, and nothing is chosen by them.
train_images, test_images = images[:-10_000], images[-10_000:]
train_labels, test_labels = labels[:-10_000], labels[-10_000:]

''')

_ONE_CYCLE = Template('''

class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Up to the highest rate during the first part of training, then down along half a cosine."""

    warmup, start, end = $warmup, $start, $end

    def __init__(self, highest, *, steps):
        self.highest, self.steps = highest, steps

    def __call__(self, step):
        progress = keras.ops.cast(step, "float32") / max(self.steps - 1, 1)
        up = self.start + (1 - self.start) * progress / max(self.warmup, 1e-12)
        fallen = (1 + keras.ops.cos(math.pi * (progress - self.warmup) / (1 - self.warmup))) / 2
        down = self.end + (1 - self.end) * fallen
        return self.highest * keras.ops.where(progress < self.warmup, up, down)


learning_rate = OneCycle($highest, steps=$steps)
''')

_TRAINING = Template("""\
model.compile(
    optimizer=keras.optimizers.$optimizer,
    loss="categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(
    train_images,
    train_labels,
$settings)

""")

_USE = """\
loss, accuracy = model.evaluate(test_images, test_labels, verbose=0)
print(f"Test: {accuracy:.2%} of {len(test_images):,} images right, mean loss {loss:.4f}")

probabilities = model.predict(test_images[:10], verbose=0)
print("The first ten test images show", probabilities.argmax(axis=1))

# With test.csv of Kaggle's "Digit Recognizer" in this folder: write a submission.
if pathlib.Path("test.csv").exists():
    kaggle_pixels = pd.read_csv("test.csv", dtype="uint8").to_numpy()
    predicted = model.predict(to_input(kaggle_pixels), verbose=0).argmax(axis=1)
    submission = pd.DataFrame({"ImageId": range(1, len(predicted) + 1), "Label": predicted})
    submission.to_csv("submission.csv", index=False)
"""


def _model(network: Network, shape: Shape) -> str:
    """Sequential where the network is a chain, functional where it has shortcuts."""
    # Rows of 784 pixels are flat already.
    steps = network.plan[len(shape) == 1 :]
    lines = _layers(steps)
    _activate(lines, "softmax", alone="layers.Softmax()")
    if any(isinstance(step.layer, Residual) for step in steps):
        chain = [f"x = {line}(x)" if line.startswith("layers.") else line for line in lines]
        first, last = f"inputs = keras.Input({shape})", "model = keras.Model(inputs, x)"
        body = [first, "x = inputs", *chain, last]
    else:
        rows = [f"        {line}," for line in (f"keras.Input({shape})", *lines)]
        body = ["model = keras.Sequential(", "    [", *rows, "    ]", ")"]
    return "\n".join([*body, "model.summary()\n"])


def _layers(steps: tuple[Step, ...]) -> list[str]:
    """A Keras layer for each step; around and for a Residual, statements that pass `x` on."""
    lines: list[str] = []
    for step in steps:
        if isinstance(step.layer, ReLU):
            _activate(lines, "relu", alone="layers.ReLU()")
        elif isinstance(step.layer, Residual):
            shortcut = step.name.replace("residual", "shortcut")
            lines += [f"{shortcut} = x", *_layers(step.inside)]
            lines.append(f"x = layers.Add()([x, {shortcut}])")
        else:
            lines.append(_layer(step.layer))
    return lines


def _activate(lines: list[str], activation: str, *, alone: str) -> None:
    """The layer before applies the activation where it can; otherwise it is a layer of its own."""
    able = lines and lines[-1].startswith(("layers.Dense(", "layers.Conv2D("))
    if able and "activation" not in lines[-1]:
        lines[-1] = f'{lines[-1][:-1]}, activation="{activation}")'
    else:
        lines.append(alone)


def _layer(
    layer: Dense | Conv2D | MaxPool | GlobalAveragePool | BatchNorm | Dropout | Flatten,
) -> str:
    """The call that makes a layer. Settings are (value, Keras's default)."""
    match layer:
        case Dense(units, bias):
            return _call("Dense", units, use_bias=(bias, True))
        case Conv2D(filters, kernel, stride, padding, bias):
            return _call(
                "Conv2D",
                filters,
                kernel,
                strides=(stride, 1),
                padding=(padding, "valid"),
                use_bias=(bias, True),
            )
        case MaxPool(size):
            return _call("MaxPooling2D", size)
        case GlobalAveragePool():
            return _call("GlobalAveragePooling2D")
        case BatchNorm(momentum, epsilon):
            return _call("BatchNormalization", momentum=(momentum, 0.99), epsilon=(epsilon, 0.001))
        case Dropout(rate):
            return _call("Dropout", rate)
        case Flatten():
            return _call("Flatten")


def _call(layer: str, *arguments: object, **settings: tuple[object, object]) -> str:
    given = [f"{name}={value!r}" for name, (value, default) in settings.items() if value != default]
    return f"layers.{layer}({', '.join([*map(repr, arguments), *given])})".replace("'", '"')


def _one_cycle(recipe: Recipe, schedule: OneCycle) -> str:
    count = "len(train_images)"
    if recipe.validation_share:
        count = f"int({count} * (1 - {recipe.validation_share!r}))"
    return _ONE_CYCLE.substitute(
        warmup=schedule.warmup,
        start=schedule.start,
        end=schedule.end,
        highest=recipe.optimizer.learning_rate,
        steps=f"{recipe.epochs} * math.ceil({count} / {recipe.batch_size})",
    )


def _training(recipe: Recipe) -> str:
    optimizer, one_cycle = recipe.optimizer, isinstance(recipe.schedule, OneCycle)
    rate = "learning_rate" if one_cycle else repr(optimizer.learning_rate)
    # The defaults of the recipe's optimizers are those of Keras.
    others = [
        f", {field.name}={getattr(optimizer, field.name)!r}"
        for field in fields(optimizer)
        if field.name != "learning_rate" and getattr(optimizer, field.name) != field.default
    ]
    settings = [f"batch_size={recipe.batch_size}", f"epochs={recipe.epochs}"]
    if recipe.validation_share:
        settings.append(f"validation_split={recipe.validation_share!r}")
    if recipe.early_stopping:
        stop = (
            f"EarlyStopping(patience={recipe.early_stopping.patience}, restore_best_weights=True)"
        )
        settings.append(f"callbacks=[keras.callbacks.{stop}]")
    return _TRAINING.substitute(
        optimizer=f"{type(optimizer).__name__}(learning_rate={rate}{''.join(others)})",
        settings="".join(f"    {setting},\n" for setting in settings),
    )
