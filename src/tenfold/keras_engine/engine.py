"""The Keras engine: a plain Keras model and optimizer, trained an epoch at a time.

The model is the one a Keras user would write and the optimizer is Keras's own; only the loop over
the steps is ours. The images lie on the device as bytes, and an epoch is one call.

On a CPU an epoch is a function of (state, seed, epoch) to the last bit, on the same machine with
the same versions and as many cores: how many threads share a sum decides how it is rounded.
"""

from importlib import import_module

import keras
import numpy as np
from numpy.typing import NDArray

from tenfold.digits import CLASSES, Digits, Images
from tenfold.engine import (
    AVERAGE,
    NO_DIGIT,
    WEIGHTS,
    Courses,
    Engine,
    Epoch,
    State,
    Targets,
    check_state,
    counted_labels,
    targets_for,
)
from tenfold.keras_engine.augment import warp
from tenfold.keras_engine.backend import has_bfloat16
from tenfold.keras_engine.model import (
    averages_of,
    build,
    computing,
    copy_of,
    take_statistics,
    variables,
)
from tenfold.keras_engine.objective import Logits, RunEpoch, Training
from tenfold.keras_engine.optimizers import build_optimizer, kept_variables
from tenfold.randomness import stream
from tenfold.recipe import Recipe
from tenfold.weights import initial_weights

# One size, because each size is compiled anew; this one divides MNIST's 10,000 and 60,000, and is
# the fastest of 250, 500, 1000 and 2000 for a small CNN on two cores.
IMAGES_AT_ONCE = 500


class KerasEngine(Engine):
    """Trains on the images of `train` towards `targets`, or towards its labels; see `Engine`."""

    def __init__(
        self, recipe: Recipe, train: Digits, targets: Targets | None = None, *, seed: int
    ) -> None:
        self._seed, self._images = seed, train.images
        self._courses = Courses(recipe, train.images, seed=seed)
        mixed = recipe.precision == "mixed" and has_bfloat16()
        self._precision = "bfloat16" if mixed else "float32"
        compiled = import_module(f"tenfold.keras_engine.{self.backend}_epoch")
        self._model = build(
            recipe.network,
            initial_weights(recipe.network, seed, train.images),
            normalization=compiled.BatchNormalization,
        )
        optimizer = build_optimizer(recipe.optimizer, self._model)
        averages = averages_of(self._model) if recipe.averaging else {}
        if targets is None:
            targets = targets_for(recipe, train.known_labels)
        self._labels = counted_labels(train.known_labels, targets)
        training = Training(
            self._model,
            optimizer,
            list(averages.values()),
            self._precision,
            train.images,
            self._labels,
            targets,
        )
        self._run_epoch: RunEpoch = compiled.compile_epoch(training)
        self._run_logits: Logits = compiled.compile_logits(self._model)
        self._weights = variables(self._model)
        self._averages = averages
        self._variables = (
            {WEIGHTS + name: variable for name, variable in self._weights.items()}
            | {AVERAGE + name: variable for name, variable in averages.items()}
            | kept_variables(optimizer, recipe.optimizer, self._model)
        )

    @property
    def backend(self) -> str:
        return str(keras.backend.backend())

    @property
    def precision(self) -> str:
        return self._precision

    def train_epoch(self, epoch: int) -> Epoch:
        course = self._courses(epoch)
        self._seed_dropout(epoch)
        with computing(self._model, self._precision):
            losses, correct = self._run_epoch(course)
        digits = int(np.count_nonzero(self._labels[course.rows] != NO_DIGIT))
        return Epoch(losses, correct, digits)

    def settle(self) -> None:
        for name, average in self._averages.items():
            self._weights[name].assign(average.value)
        if self._averages:
            rows, warps = self._courses.settling()
            pictures = self._images[rows][..., None]
            take_statistics(self._model, pictures if warps is None else warp(pictures, warps))

    def logits(self, images: Images) -> NDArray[np.float32]:
        whole = -(-len(images) // IMAGES_AT_ONCE) * IMAGES_AT_ONCE
        logits = np.empty((whole, CLASSES), np.float32)
        for start in range(0, whole, IMAGES_AT_ONCE):
            part = slice(start, start + IMAGES_AT_ONCE)
            logits[part] = self._run_logits(_padded(images[part]))
        return logits[: len(images)]

    def state(self) -> State:
        arrays = {name: copy_of(variable) for name, variable in self._variables.items()}
        return arrays | {"step": arrays["step"].astype(np.int64)}

    def restore(self, state: State) -> None:
        check_state(state, own=self.state())
        for name, variable in self._variables.items():
            variable.assign(state[name])

    def _seed_dropout(self, epoch: int) -> None:
        for layer in self._model.layers:
            if isinstance(layer, keras.layers.Dropout) and layer.rate > 0:
                # Keras's own form: a seed of 31 bits, and the count of draws from it.
                drawn = stream(self._seed, "dropout", epoch, layer.name).integers(2**31)
                layer.seed_generator.state.assign(np.array([drawn, 0]))


def _padded(images: Images) -> Images:
    """Images (n, 28, 28) -> (IMAGES_AT_ONCE, 28, 28), the missing ones black."""
    missing = IMAGES_AT_ONCE - len(images)
    return np.pad(images, ((0, missing), (0, 0), (0, 0))) if missing else images
