"""The NumPy engine: trains a recipe's network an epoch at a time, as `tenfold.engine` asks.

The loop in `train_epoch` is all there is to training: forward, loss, back, step. Knows nothing about
what happens inside a layer, a loss or an optimizer.
"""

from contextlib import AbstractContextManager

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from tenfold.digits import CLASSES, Digits, Images
from tenfold.engine import WEIGHTS, Engine, Epoch, State, check_state
from tenfold.randomness import batches
from tenfold.recipe import Recipe
from tenfold.scratch.losses import cross_entropy, cross_entropy_gradient, one_hot
from tenfold.scratch.network import ScratchNetwork
from tenfold.scratch.optimizers import optimizer_for
from tenfold.weights import initial_weights

# Bounds the memory that `logits` takes, whatever the number of images.
IMAGES_AT_ONCE = 128


class ScratchEngine(Engine):
    """Trains on the images of `train`, which must be labelled, starting from `initial_weights`.

    Raises:
        DataError: `train` has no labels.
    """

    def __init__(self, recipe: Recipe, train: Digits, *, seed: int) -> None:
        self._recipe, self._seed = recipe, seed
        self._images, self._labels = train.images, train.known_labels
        self._network = ScratchNetwork(recipe.network, initial_weights(recipe.network, seed))
        self._optimizer = optimizer_for(recipe.optimizer, self._network.parameters)
        self._libraries = ThreadpoolController()

    @property
    def backend(self) -> str:
        return "numpy"

    def train_epoch(self, epoch: int) -> Epoch:
        network, optimizer = self._network, self._optimizer
        size = self._recipe.batch_size
        rows = batches(self._seed, epoch, images=len(self._images), batch_size=size)
        rates = self._recipe.learning_rates(epoch, steps=len(rows)).tolist()
        labels = self._labels[rows]
        targets = one_hot(labels)
        logits = np.empty_like(targets)

        network.start_epoch(self._seed, epoch)
        with self._one_thread():
            for step, rate in enumerate(rates):
                logits[step] = network.forward(self._images.take(rows[step], axis=0))
                network.backward(cross_entropy_gradient(logits[step], targets[step]))
                optimizer.update(network.parameters, network.gradient, rate=rate)

        losses = cross_entropy(logits, targets).mean(axis=1)
        correct = np.count_nonzero(logits.argmax(axis=2) == labels)
        return Epoch(losses, int(correct), labels.size)

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

    def _arrays(self) -> State:
        """All that changes in training, by the names `State` gives, as it is: not a copy."""
        arrays: State = {WEIGHTS + name: array for name, array in self._network.weights.items()}
        for slot, vector in self._optimizer.slots.items():
            parts = self._network.split(vector)
            arrays |= {f"{slot}/{name}": array for name, array in parts.items()}
        return arrays | {"step": self._optimizer.steps}

    def _one_thread(self) -> AbstractContextManager[object]:
        """One thread for matrix products.

        Sharing products this small among threads gains a few percent on an idle machine and costs a
        factor of ten on a busy one; and with one, the bits do not depend on the number of cores.
        """
        limited: AbstractContextManager[object] = self._libraries.limit(limits=1, user_api="blas")
        return limited
