"""A recipe's network and augmentation -> the Keras calls that make them, as a Keras user writes them.

A part of `script`; knows nothing about data and training.
"""

import math

from tenfold.augmentation import (
    ORDER,
    Augmentation,
    Cutout,
    Elastic,
    Rotate,
    Scale,
    Shear,
    Shift,
)
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
    Whitening,
)
from tenfold.network import INPUT_SHAPE, Step
from tenfold.recipe import Recipe
from tenfold.weights import WHITENING_FLOOR, WHITENING_IMAGES

ELASTIC = '''\
class Elastic(layers.Layer):
    """Moves every place by a smooth random field, in training (Simard, Steinkraus & Platt 2003).

    Keras's own RandomElasticTransform (3.15) may turn every picture of a batch into the first.
    """

    def __init__(self, pixels):
        super().__init__()
        self.pixels, self.seed = pixels, keras.random.SeedGenerator()

    def call(self, pictures, training=False):
        if not training:
            return pictures
        count, height, width, _ = ops.shape(pictures)
        field = keras.random.normal((count, height, width, 2), seed=self.seed)
        # Smoothing by 4 pixels divides the field's deviation by 4 times the root of 4 pi.
        field = ops.image.gaussian_blur(field, (25, 25), (4.0, 4.0)) * (4 * (4 * 3.1416) ** 0.5)
        axes = (ops.arange(size, dtype="float32") for size in (count, height, width))
        number, row, column = ops.meshgrid(*axes, indexing="ij")
        row, column = row + self.pixels * field[..., 0], column + self.pixels * field[..., 1]
        moved = ops.image.map_coordinates(
            pictures[..., 0], [number, row, column], order=1, fill_mode="constant"
        )
        return moved[..., None]


'''


WHITENING = f'''\
def whitening(filters, side, **settings):
    """A Conv2D that is not trained: principal components of patches of the training images, divided
    by their deviations, and the same negated."""
    some = train_images[:{WHITENING_IMAGES}, :, :, 0]
    windows = np.lib.stride_tricks.sliding_window_view(some, (side, side), axis=(1, 2))
    patches = windows[:, ::3, ::3].reshape(-1, side * side)
    variances, directions = np.linalg.eigh(np.atleast_2d(np.cov(patches.T)))  # the largest last
    kernels = (directions / np.sqrt(variances + {WHITENING_FLOOR}))[:, -filters // 2 :]
    kernels = np.hstack([kernels, -kernels]).reshape(side, side, 1, filters)
    settings |= {{"kernel_initializer": lambda shape, dtype: kernels, "trainable": False}}
    return layers.Conv2D(filters, side, use_bias=False, **settings)


'''


def model_code(recipe: Recipe, shape: Shape, *, name: str) -> str:
    """The statements that make the model called `name`, for pictures or rows of pixels of this shape.

    Sequential where the network is a chain, functional where it has shortcuts.
    """
    # Rows of 784 pixels are flat already.
    steps = recipe.network.plan[len(shape) == 1 :]
    changes = [_change(step) for step in sorted(recipe.augmentation, key=_turn)]
    if changes:
        changes = ["# In training alone, each picture is changed, in every epoch anew.", *changes]
    lines = _layers(steps)
    _activate(lines, "softmax", alone="layers.Softmax()")
    if any(isinstance(step.layer, Residual) for step in steps):
        calls = [f"x = {line}(x)" if _is_call(line) else line for line in changes + lines]
        first, last = f"inputs = keras.Input({shape})", f"{name} = keras.Model(inputs, x)"
        body = [first, "x = inputs", *calls, last]
    else:
        chain = [f"keras.Input({shape})", *changes, *lines]
        rows = [f"        {line}{',' * _is_call(line)}" for line in chain]
        body = [f"{name} = keras.Sequential(", "    [", *rows, "    ]", ")"]
    return "\n".join([*body, f"{name}.summary()\n"])


def _is_call(line: str) -> bool:
    """Whether a line makes a layer; otherwise it is a statement or a comment."""
    return line.startswith(("keras.Input(", "layers.", "Elastic(", "whitening("))


def _turn(step: Augmentation) -> int:
    return ORDER.index(type(step))


def _change(step: Augmentation) -> str:
    """Keras counts in shares of the picture and of a full turn, and calls larger what shrinks a digit."""
    side, blank = INPUT_SHAPE[0], 'fill_mode="constant"'
    match step:
        case Shear(degrees):
            return f"layers.RandomShear({math.tan(math.radians(degrees)):.4g}, {blank})"
        case Scale(share):
            zoom = f"({1 / (1 + share) - 1:.4g}, {share:.4g})"
            return f"layers.RandomZoom({zoom}, {zoom}, {blank})"
        case Rotate(degrees):
            return f"layers.RandomRotation({degrees:g} / 360, {blank})"
        case Shift(pixels):
            return f"layers.RandomTranslation({pixels:g} / {side}, {pixels:g} / {side}, {blank})"
        case Elastic(pixels):
            return f"Elastic({pixels:g})"
        case Cutout(patch):
            share_of_picture = f"scale=[({patch} / {side})**2] * 2"
            return f"layers.RandomErasing((1, 1), {share_of_picture}, fill_value=0, value_range=(0, 1))"


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
            return _call("layers.Dense", units, use_bias=(bias, True))
        case Whitening(filters, kernel, stride, padding):
            settings = {"strides": (stride, 1), "padding": (padding, "valid")}
            return _call("whitening", filters, kernel, **settings)
        case Conv2D(filters, kernel, stride, padding, bias):
            return _call(
                "layers.Conv2D",
                filters,
                kernel,
                strides=(stride, 1),
                padding=(padding, "valid"),
                use_bias=(bias, True),
            )
        case MaxPool(size):
            return _call("layers.MaxPooling2D", size)
        case GlobalAveragePool():
            return _call("layers.GlobalAveragePooling2D")
        case BatchNorm(momentum, epsilon):
            return _call(
                "layers.BatchNormalization", momentum=(momentum, 0.99), epsilon=(epsilon, 0.001)
            )
        case Dropout(rate):
            return _call("layers.Dropout", rate)
        case Flatten():
            return _call("layers.Flatten")


def _call(function: str, *arguments: object, **settings: tuple[object, object]) -> str:
    given = [f"{name}={value!r}" for name, (value, default) in settings.items() if value != default]
    return f"{function}({', '.join([*map(repr, arguments), *given])})".replace("'", '"')
