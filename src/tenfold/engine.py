"""What an engine is: it trains one epoch of a recipe, and says what the network thinks of images.

The epoch loop, validation, early stopping, checkpoints and files are not its business: `training`
owns them and does not know which engine it has. An epoch is a function of (state, seed, epoch), so
an engine that is given back its state goes on as if it had never stopped.
"""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import Images
from tenfold.errors import ModelError
from tenfold.weights import Weights

State = dict[str, NDArray[np.generic]]
"""All that an exact continuation needs, by name: the weights under "weights/<parameter>", each array
the optimizer keeps under "<slot>/<parameter>", and "step", int64 (), the number of steps taken.
The slots are "momentum" for SGD with momentum, "first_moment" and "second_moment" for Adam and AdamW.
Both engines use the same names and shapes, so either can continue what the other began."""

WEIGHTS = "weights/"


class Epoch(NamedTuple):
    """What an epoch of training gave: the mean loss of each step, and how many images were right.

    `losses` is float32 (steps,), each the mean over its batch before its update, dropout on.
    `correct` counts the images whose largest logit was their label's, of `images` seen.
    """

    losses: NDArray[np.float32]
    correct: int
    images: int


class Engine(Protocol):
    """Trains a recipe's network on images that it holds.

    Made as `Engine(recipe, train, seed=...)`, with `initial_weights(recipe.network, seed)`.
    """

    @property
    def backend(self) -> str:
        """What computes: "numpy", "tensorflow", "jax" or "torch"."""
        ...

    def train_epoch(self, epoch: int) -> Epoch:
        """Take the steps of epoch 0, 1, ...: the batches of `randomness.batches(seed, epoch)`, at the
        learning rates of `recipe.learning_rates(epoch)`; dropout is a function of (seed, epoch)."""
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
