"""The NumPy engine: trains a recipe's network an epoch at a time, as `tenfold.engine` asks.

The loop in `train_epoch` is all there is to training: forward, loss, back, step. Knows nothing about
what happens inside a layer, a loss or an optimizer.
"""

from contextlib import AbstractContextManager

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from tenfold.augmentation import Warps
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
from tenfold.recipe import Recipe
from tenfold.scratch.augment import taken, warp
from tenfold.scratch.layers import Array
from tenfold.scratch.losses import cross_entropy, cross_entropy_gradient
from tenfold.scratch.network import ScratchNetwork
from tenfold.scratch.optimizers import optimizer_for
from tenfold.weights import initial_weights

# Bounds the memory that `logits` takes, whatever the number of images.
IMAGES_AT_ONCE = 128


class ScratchEngine(Engine):
    """Trains on the images of `train` towards `targets`, or towards its labels; see `Engine`.

    Raises:
        DataError: `train` has no labels.
    """

    def __init__(
        self, recipe: Recipe, train: Digits, targets: Targets | None = None, *, seed: int
    ) -> None:
        self._seed, self._courses = seed, Courses(recipe, train.images, seed=seed)
        self._images = train.images
        self._targets = targets_for(recipe, train.known_labels) if targets is None else targets
        self._labels = counted_labels(train.known_labels, self._targets)
        start = initial_weights(recipe.network, seed, train.images)
        self._network = ScratchNetwork(recipe.network, start)
        self._optimizer = optimizer_for(recipe.optimizer, self._network.parameters)
        self._average = self._network.parameters.copy() if recipe.averaging else None
        self._libraries = ThreadpoolController()

    @property
    def backend(self) -> str:
        return "numpy"

    @property
    def precision(self) -> str:
        # NumPy has no bfloat16, so that a recipe's "mixed" allows nothing here.
        return "float32"

    def train_epoch(self, epoch: int) -> Epoch:
        network, optimizer = self._network, self._optimizer
        course = self._courses(epoch)
        targets = self._targets[course.rows]
        logits = np.empty_like(targets)

        network.start_epoch(self._seed, epoch)
        with self._one_thread():
            for step, rows in enumerate(course.rows):
                logits[step] = network.forward(self._pictures(rows, course.warps))
                network.backward(cross_entropy_gradient(logits[step], targets[step]))
                optimizer.update(
                    network.parameters, network.gradient, rate=float(course.rates[step])
                )
                if self._average is not None:
                    self._average += (1 - course.decays[step]) * (
                        network.parameters - self._average
                    )

        losses = cross_entropy(logits, targets).mean(axis=1)
        labels = self._labels[course.rows]
        correct = np.count_nonzero(logits.argmax(axis=2) == labels)
        return Epoch(losses, int(correct), int(np.count_nonzero(labels != NO_DIGIT)))

    def settle(self) -> None:
        if self._average is not None:
            self._network.parameters[...] = self._average
            rows, warps = self._courses.settling()
            images = self._images[rows]
            with self._one_thread():
                self._network.take_statistics(images if warps is None else warp(images, warps))

    def logits(self, images: Images) -> NDArray[np.float32]:
        logits = np.empty((len(images), CLASSES), np.float32)
        with self._one_thread():
            for start in range(0, len(images), IMAGES_AT_ONCE):
                part = slice(start, start + IMAGES_AT_ONCE)
                logits[part] = self._network.use(images[part])
        return logits

    def state(self) -> State:
        return {name: array.copy() for name, array in self._arrays().items()}

    def restore(self, state: State) -> None:
        check_state(state, own=self._arrays())
        for name, array in self._arrays().items():
            array[...] = state[name]

    def _pictures(self, rows: NDArray[np.int32], warps: Warps | None) -> Images | Array:
        """The images at `rows` as the network gets to see them: (b, 28, 28), 0..255."""
        images = self._images.take(rows, axis=0)
        return images if warps is None else warp(images, taken(warps, rows))

    def _arrays(self) -> State:
        """All that changes in training, by the names `State` gives, as it is: not a copy."""
        arrays: State = {WEIGHTS + name: array for name, array in self._network.weights.items()}
        for slot, vector in self._optimizer.slots.items():
            parts = self._network.split(vector)
            arrays |= {f"{slot}/{name}": array for name, array in parts.items()}
        if self._average is not None:
            averages = self._network.split(self._average)
            arrays |= {AVERAGE + name: array for name, array in averages.items()}
        return arrays | {"step": self._optimizer.steps}

    def _one_thread(self) -> AbstractContextManager[object]:
        """One thread for matrix products.

        Sharing products this small among threads gains a few percent on an idle machine and costs a
        factor of ten on a busy one; and with one, the bits do not depend on the number of cores.
        """
        limited: AbstractContextManager[object] = self._libraries.limit(limits=1, user_api="blas")
        return limited
