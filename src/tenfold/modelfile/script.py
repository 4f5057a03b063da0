"""A recipe -> the standalone Keras script that does the same: what a Keras user would have written.

The script needs no tenfold. It differs from a run of tenfold only in what Keras decides: the order of
the images, a smaller last batch, the validation part, which is the last share of the training images
and not a random one, pictures that are changed by one layer after another and slanted about their
upper edge, and averages of one decay throughout; in float32, where a line of its own does not change that;
and with several members in that each stops early by itself. Knows nothing about running it.
"""

import math
import re
from dataclasses import fields
from string import Template
from textwrap import indent

from tenfold.digits import CLASSES
from tenfold.errors import UsageError
from tenfold.layers import BatchNorm, Flatten, Shape
from tenfold.modelfile.script_model import ELASTIC, WHITENING, model_code
from tenfold.network import INPUT_SHAPE
from tenfold.recipe import Distillation, OneCycle, Recipe

# Characters in a line of the script: as in our own, once it stands in a loop.
LINE = 96


def to_script(recipe: Recipe, *, name: str) -> str:
    """The script as text; `python script.py` trains, tests and, beside a test.csv, writes a submission.

    Args:
        recipe: what it trains. One for the NumPy engine gives the same network, trained by Keras.
        name: the recipe's name, ASCII: up to 64 letters, digits, "-", "_", "." and spaces.

    Raises:
        UsageError: the name holds something else, which could become code in the script; the recipe's
            teacher has a teacher itself; or the recipe draws pictures or is calibrated.
    """
    if not re.fullmatch(r"[\w. -]{1,64}", name, flags=re.ASCII):
        raise UsageError(
            f"name: expected up to 64 letters, digits, '-', '_', '.' or spaces, received {name!r}."
        )
    if recipe.written_digits or recipe.non_digits or recipe.calibrated:
        raise UsageError(
            "A script draws no pictures and calibrates nothing, as this recipe asks. Write that of the recipe without: "
            "replace(recipe, written_digits=0.0, non_digits=None, calibrated=False)."
        )
    distillation, recipes = recipe.distillation, [recipe]
    if distillation is not None:
        recipes.append(distillation.teacher)
        if distillation.teacher.distillation is not None:
            raise UsageError(
                "A script holds one teacher, and this recipe's teacher has a teacher itself. "
                "Write the script of the teacher: replace(recipe, distillation=None)."
            )
    shape = INPUT_SHAPE if any(map(_needs_pictures, recipes)) else (math.prod(INPUT_SHAPE),)
    held_out = teacher = ""
    if distillation is not None:
        if recipe.validation_share:
            held_out = _HELD_OUT.substitute(share=recipe.validation_share)
        teacher = _training(distillation.teacher, shape, model="teacher")
        teacher += _taught(recipe, distillation)
    work = teacher + _training(recipe, shape, model="model") + _use(recipe)
    defined = "".join(text for name, text in _DEFINITIONS.items() if f"{name}(" in work)
    body = held_out + "\n" * bool(defined) + defined + work
    head = _HEAD.substitute(
        name=name,
        shape=(-1, *shape),
        math="import math\n" * _names("math", body),
        numpy="import numpy as np\n" * _names("np", body),
        ops=", ops" * _names("ops", body),
    )
    return head + body


def _names(module: str, code: str) -> bool:
    """Whether the code names a module itself, and not one inside another."""
    return re.search(rf"(?<![.\w]){module}\.", code) is not None


def _needs_pictures(recipe: Recipe) -> bool:
    """Whether rows of 784 pixels will not do."""
    flat = isinstance(recipe.network.plan[0].layer, Flatten)
    return not flat or bool(recipe.augmentation) or recipe.test_time_shifts > 0


_HEAD = Template('''\
"""Train the network "$name" on MNIST with Keras. Written by tenfold.

Needs keras with a backend (tensorflow, jax or torch), scikit-learn and pandas.
"""

${math}import pathlib

import keras
${numpy}import pandas as pd
from keras import layers$ops
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

_ONE_CYCLE = '''\
class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Up to the highest rate during the first part of training, then down along half a cosine."""

    def __init__(self, highest, *, warmup, start, end, steps):
        self.highest, self.warmup, self.start, self.end = highest, warmup, start, end
        self.steps = steps

    def __call__(self, step):
        progress = keras.ops.cast(step, "float32") / max(self.steps - 1, 1)
        up = self.start + (1 - self.start) * progress / max(self.warmup, 1e-12)
        fallen = (1 + keras.ops.cos(math.pi * (progress - self.warmup) / (1 - self.warmup))) / 2
        down = self.end + (1 - self.end) * fallen
        return self.highest * keras.ops.where(progress < self.warmup, up, down)


'''

_SHIFTED = '''\
def predict_shifted(model, images, n):
    """The mean of what the model says of each picture, and of it moved by n to each side."""
    padded = np.pad(images, ((0, 0), (n, n), (n, n), (0, 0)))
    corners = [(n, n), (0, n), (2 * n, n), (n, 0), (n, 2 * n)]
    moved = (padded[:, top : top + 28, left : left + 28] for top, left in corners)
    return np.mean([model.predict(pictures, verbose=0) for pictures in moved], axis=0)


'''

# What a script defines where it is used.
_DEFINITIONS = {
    "whitening": WHITENING,
    "Elastic": ELASTIC,
    "OneCycle": _ONE_CYCLE,
    "predict_shifted": _SHIFTED,
}

_HELD_OUT = Template("""\
# The last of these are for validation: neither network is trained on them.
count = int(len(train_images) * (1 - $share))
train_images, validation_images = train_images[:count], train_images[count:]
train_labels, validation_labels = train_labels[:count], train_labels[count:]

""")

_TAUGHT = Template("""\
# What the network is to say of each picture: partly its label, partly what the teacher says,
# softened by a temperature of $temperature.
taught = $predicted
taught **= 1 / $temperature
taught /= taught.sum(axis=1, keepdims=True)
targets = $rest * $labels + $share * taught

""")

_TRAINING = Template("""\
$rate$averaged$mixed$model.compile(
$optimizer,
    loss=$loss,
    metrics=["accuracy"],
)
$model.fit(
    train_images,
    $labels,
$settings)

""")

_MEMBERS = Template("""\
# Several networks, which differ in what chance decides; their answer is the mean of what each says.
${model}s = []
for _ in range($members):
$code
    ${model}s.append($model)

""")

_MIXED = """\
# tenfold lets processor or GPU multiply bfloat16 numbers where they can. To do it here, say
# keras.config.set_dtype_policy("mixed_bfloat16") before the model is made, and give its last
# layer dtype="float32".
"""

_EVALUATED = """\
loss, accuracy = model.evaluate(test_images, test_labels, verbose=0)
print(f"Test: {accuracy:.2%} of {len(test_images):,} images right, mean loss {loss:.4f}")

probabilities = model.predict(test_images[:10], verbose=0)
"""

# Where `evaluate` would give the loss of the smoothed labels, or of one picture without its copies.
_COMPARED = Template("""\
probabilities = $predicted
accuracy = (probabilities.argmax(axis=1) == test_labels.argmax(axis=1)).mean()
loss = float(keras.losses.CategoricalCrossentropy()(test_labels, probabilities))
print(f"Test: {accuracy:.2%} of {len(test_images):,} images right, mean loss {loss:.4f}")

""")

_USE = Template("""\
print("The first ten test images show", probabilities[:10].argmax(axis=1))

# With test.csv of Kaggle's "Digit Recognizer" in this folder: write a submission.
if pathlib.Path("test.csv").exists():
    kaggle_images = to_input(pd.read_csv("test.csv", dtype="uint8").to_numpy())
    probabilities = $predicted
    predicted = probabilities.argmax(axis=1)
    submission = pd.DataFrame({"ImageId": range(1, len(predicted) + 1), "Label": predicted})
    submission.to_csv("submission.csv", index=False)
""")


def _one_cycle(recipe: Recipe, schedule: OneCycle) -> str:
    count = "len(train_images)"
    if recipe.validation_share and not recipe.distillation:
        count = f"int({count} * (1 - {recipe.validation_share!r}))"
    settings = [repr(recipe.optimizer.learning_rate)]
    settings += [f"{f.name}={getattr(schedule, f.name)!r}" for f in fields(schedule)]
    settings.append(f"steps={recipe.epochs} * math.ceil({count} / {recipe.batch_size})")
    return _broken("learning_rate = OneCycle", settings) + "\n"


def _training(recipe: Recipe, shape: Shape, *, model: str) -> str:
    """The model, compiled and fitted."""
    taught, averaging = recipe.distillation is not None, recipe.averaging
    smooth = recipe.label_smoothing > 0 and not taught
    settings = [f"batch_size={recipe.batch_size}", f"epochs={recipe.epochs}"]
    if recipe.validation_share:
        held_out = "validation_data=(validation_images, validation_labels)"
        settings.append(held_out if taught else f"validation_split={recipe.validation_share!r}")
    if recipe.early_stopping:
        stop = (
            f"EarlyStopping(patience={recipe.early_stopping.patience}, restore_best_weights=True)"
        )
        settings.append(f"callbacks=[keras.callbacks.{stop}]")
    normed = any(isinstance(step.layer, BatchNorm) for step in recipe.network.steps())
    remark = "# tenfold also takes BatchNorm's statistics anew, for the averaged weights.\n"
    schedule = recipe.schedule
    code = model_code(recipe, shape, name=model) + _TRAINING.substitute(
        model=model,
        rate=_one_cycle(recipe, schedule) if isinstance(schedule, OneCycle) else "",
        averaged=remark * (averaging is not None and normed),
        mixed=_MIXED * (recipe.precision == "mixed"),
        optimizer=_optimizer(recipe),
        loss=f"keras.losses.CategoricalCrossentropy(label_smoothing={recipe.label_smoothing!r})"
        if smooth
        else '"categorical_crossentropy"',
        labels="targets" if taught else "train_labels",
        settings="".join(f"    {setting},\n" for setting in settings),
    )
    if recipe.members == 1:
        return code
    return _MEMBERS.substitute(
        model=model, members=recipe.members, code=indent(code.rstrip("\n"), "    ")
    )


def _optimizer(recipe: Recipe) -> str:
    optimizer, one_cycle = recipe.optimizer, isinstance(recipe.schedule, OneCycle)
    rate = "learning_rate" if one_cycle else repr(optimizer.learning_rate)
    # The defaults of the recipe's optimizers are those of Keras.
    settings = [f"learning_rate={rate}"] + [
        f"{field.name}={getattr(optimizer, field.name)!r}"
        for field in fields(optimizer)
        if field.name != "learning_rate" and getattr(optimizer, field.name) != field.default
    ]
    if recipe.averaging:
        settings += ["use_ema=True", f"ema_momentum={recipe.averaging.decay!r}"]
    return _broken(f"    optimizer=keras.optimizers.{type(optimizer).__name__}", settings)


def _broken(call: str, arguments: list[str]) -> str:
    """A call in one line where it is short enough to be read so, otherwise an argument a line."""
    whole = f"{call}({', '.join(arguments)})"
    if len(whole) < LINE:
        return whole
    indent = " " * (len(call) - len(call.lstrip()))
    return "\n".join([f"{call}(", *(f"{indent}    {each}," for each in arguments), f"{indent})"])


def _taught(recipe: Recipe, distillation: Distillation) -> str:
    labels, s = "train_labels", recipe.label_smoothing
    if s:
        labels = f"({1 - s:.6g} * train_labels + {s / CLASSES:.6g})"
    return _TAUGHT.substitute(
        temperature=f"{distillation.temperature:g}",
        predicted=_predicted(distillation.teacher, "teacher", "train_images"),
        rest=f"{1 - distillation.share:.6g}",
        share=f"{distillation.share:g}",
        labels=labels,
    )


def _predicted(recipe: Recipe, model: str, images: str) -> str:
    """The call that gives the probabilities (n, 10) of images."""
    shifts = recipe.test_time_shifts
    one = f"{model}.predict({images}, verbose=0)"
    if shifts:
        one = f"predict_shifted({model}, {images}, {shifts})"
    return one if recipe.members == 1 else f"np.mean([{one} for {model} in {model}s], axis=0)"


def _use(recipe: Recipe) -> str:
    test = _EVALUATED
    smoothed = recipe.label_smoothing and not recipe.distillation
    if recipe.test_time_shifts or recipe.members > 1 or smoothed:
        test = _COMPARED.substitute(predicted=_predicted(recipe, "model", "test_images"))
    return test + _USE.substitute(predicted=_predicted(recipe, "model", "kaggle_images"))
