"""What an engine is: it trains one epoch of a recipe, and says what the network thinks of images.

The epoch loop, validation, early stopping, checkpoints and files are not its business: `training`
owns them and does not know which engine it has. An epoch is a function of (state, seed, epoch), so
an engine that is given back its state goes on as if it had never stopped. What an epoch leaves to
chance, dropout apart, is decided here, in its `Course`, and is the same for every engine.
"""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from tenfold.augmentation import Warps, draw, ink_boxes
from tenfold.digits import CLASSES, Images, Labels
from tenfold.errors import ModelError
from tenfold.randomness import batches, stream
from tenfold.recipe import Recipe
from tenfold.weights import Weights

State = dict[str, NDArray[np.generic]]
"""All that an exact continuation needs, by name: the weights under "weights/<parameter>", each array
the optimizer keeps under "<slot>/<parameter>", and "step", int64 (), the number of steps taken.
The slots are "momentum" for SGD with momentum, "first_moment" and "second_moment" for Adam and AdamW,
and "average" where the recipe averages.
Both engines use the same names and shapes, so either can continue what the other began. Where a recipe has
several members, each one's names begin with its number: "1/weights/<parameter>"."""

WEIGHTS = "weights/"
AVERAGE = "average/"

# Enough for BatchNorm's statistics of an averaged network: each channel's mean is then known to within
# 1/45 of its standard deviation from a single position, and to far less from many.
SETTLING_IMAGES = 2048

Targets = NDArray[np.float32]
"""(n, 10): what each image's ten probabilities should be; rows sum to 1."""

NO_DIGIT = 255
"""The label of an image whose target favours no digit: no answer to it is counted, right or wrong."""


class Course(NamedTuple):
    """All that is decided of an epoch before it begins.

    Attributes:
        rows: int32 (steps, batch), which training images make up each batch.
        rates: float32 (steps,), the learning rate of each step.
        decays: float32 (steps,), of the average after each step; unused where the recipe does not average.
        warps: what happens to each of the n training images, in their order; None where nothing does.
    """

    rows: NDArray[np.int32]
    rates: NDArray[np.float32]
    decays: NDArray[np.float32]
    warps: Warps | None


class Courses:
    """The course of each epoch of a training: a function of (recipe, images, seed, epoch)."""

    def __init__(self, recipe: Recipe, images: Images, *, seed: int) -> None:
        self._recipe, self._seed, self._count = recipe, seed, len(images)
        self._boxes = ink_boxes(images) if recipe.augmentation else None

    def __call__(self, epoch: int) -> Course:
        """The course of epoch 0, 1, ..."""
        recipe, seed = self._recipe, self._seed
        rows = batches(seed, epoch, images=self._count, batch_size=recipe.batch_size)
        steps = len(rows)
        decays = (
            recipe.averaging.decays(epoch, steps=steps)
            if recipe.averaging
            else np.zeros(steps, np.float32)
        )
        warps = None
        if self._boxes is not None:
            warps = draw(recipe.augmentation, self._boxes, stream(seed, "augmentation", epoch))
        return Course(rows, recipe.learning_rates(epoch, steps=steps), decays, warps)

    def settling(self) -> tuple[NDArray[np.intp], Warps | None]:
        """The images from which BatchNorm's statistics are taken for an average, and what happens to each of them."""
        rows = settling_rows(self._count, self._seed)
        if self._boxes is None:
            return rows, None
        chance = stream(self._seed, "settling augmentation")
        return rows, draw(self._recipe.augmentation, self._boxes[rows], chance)


def targets_for(recipe: Recipe, labels: Labels) -> Targets:
    """labels uint8 (n,) -> each label's place gets 1 - s, and every place s / 10; s is the label smoothing."""
    certain = np.eye(CLASSES, dtype=np.float32)[labels]
    s = np.float32(recipe.label_smoothing)
    return certain * (1 - s) + s / np.float32(CLASSES)


def counted_labels(labels: Labels, targets: Targets) -> Labels:
    """labels uint8 (n,), NO_DIGIT in the place of those whose target (n, 10) is the same for every digit."""
    favours_none = targets.max(axis=1) == targets.min(axis=1)
    return np.where(favours_none, np.uint8(NO_DIGIT), labels)


def settling_rows(images: int, seed: int) -> NDArray[np.intp]:
    """The rows of the training images from which BatchNorm's statistics are taken for an average."""
    rows = stream(seed, "settling").permutation(images)[:SETTLING_IMAGES]
    return np.sort(rows)


class Epoch(NamedTuple):
    """What an epoch of training gave: the mean loss of each step, and how many digits were right.

    `losses` is float32 (steps,), each the mean over its batch of the cross-entropy against the targets,
    before its update, augmentation and dropout on.
    `correct` counts the images whose largest logit was their label's, of the `images` of digits that were seen.
    """

    losses: NDArray[np.float32]
    correct: int
    images: int


class Engine(Protocol):
    """Trains a recipe's network on images that it holds.

    Made as `Engine(recipe, train, targets, seed=...)`, it begins at `initial_weights(recipe.network,
    seed, train.images)`. Without targets it learns what `targets_for` makes of the labels, which `train` must have.
    """

    @property
    def backend(self) -> str:
        """What computes: "numpy", "tensorflow", "jax" or "torch"."""
        ...

    @property
    def precision(self) -> str:
        """What training multiplies in convolutions and Dense layers: "float32" or "bfloat16"."""
        ...

    def train_epoch(self, epoch: int) -> Epoch:
        """Take the steps of epoch 0, 1, ... as its `Course` says; dropout is a function of (seed, epoch)."""
        ...

    def settle(self) -> None:
        """Put the average in the place of the weights, with BatchNorm's statistics for it; see
        `recipe.Averaging`. Training does not go on from here. Nothing where the recipe does not average."""
        ...

    def logits(self, images: Images) -> NDArray[np.float32]:
        """Images uint8 (n, 28, 28) -> float32 (n, 10), as in use: no dropout, moving statistics."""
        ...

    def state(self) -> State:
        """A copy of all that `restore` needs."""
        ...

    def restore(self, state: State) -> None:
        """Go back to a state that `state` gave; ModelError where it does not fit this recipe."""
        ...


def weights_of(state: State) -> Weights:
    """The network's arrays in a state."""
    return {
        name.removeprefix(WEIGHTS): array.astype(np.float32, copy=False)
        for name, array in state.items()
        if name.startswith(WEIGHTS)
    }


def check_state(given: State, *, own: State) -> None:
    """Whether `given` has the names, dtypes and shapes of an engine's `own` state, or ModelError."""
    fits = {name: (array.dtype, array.shape) for name, array in given.items()}
    expected = {name: (array.dtype, array.shape) for name, array in own.items()}
    if fits != expected:
        differing = sorted({name for name, _ in fits.items() ^ expected.items()})
        raise ModelError(
            f"state: expected the {len(own)} arrays of this recipe's network and optimizer, received "
            f"{len(given)}; they differ in {', '.join(differing)}. Restore it with its own recipe."
        )
