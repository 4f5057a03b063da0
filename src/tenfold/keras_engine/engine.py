"""The Keras engine: a plain Keras model and optimizer, trained an epoch at a time.

The model is the one a Keras user would write and the optimizer is Keras's own; only the loop over
the steps is ours. The images lie on the device as bytes, and an epoch is one call.

On a CPU an epoch is a function of (state, seed, epoch) to the last bit, on the same machine with
the same versions.
"""

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from tenfold.digits import SIDE, Digits, Images
from tenfold.engine import WEIGHTS, Engine, Epoch, State
from tenfold.errors import ModelError
from tenfold.keras_engine.model import build, variables
from tenfold.keras_engine.objective import RunEpoch
from tenfold.keras_engine.optimizers import build_optimizer, kept_variables
from tenfold.randomness import batches, stream
from tenfold.recipe import Recipe
from tenfold.weights import initial_weights

# One size, because each size is compiled anew; this one divides MNIST's 10,000 and 60,000, and is
# the fastest of 250, 500, 1000 and 2000 for a small CNN on two cores.
IMAGES_AT_ONCE = 500


class KerasEngine(Engine):
    """Trains on the images of `train`, which must be labelled, beginning at `initial_weights`."""

    def __init__(self, recipe: Recipe, train: Digits, *, seed: int) -> None:
        self._recipe, self._seed, self._images = recipe, seed, len(train)
        self._model = build(recipe.network, initial_weights(recipe.network, seed))
        optimizer = build_optimizer(recipe.optimizer, self._model)
        self._run_epoch = _compile_epoch(self._model, optimizer, train)
        self._variables = {
            WEIGHTS + name: variable for name, variable in variables(self._model).items()
        } | kept_variables(optimizer, recipe.optimizer, self._model)

    @property
    def backend(self) -> str:
        return str(keras.backend.backend())

    def train_epoch(self, epoch: int) -> Epoch:
        rows = batches(self._seed, epoch, images=self._images, batch_size=self._recipe.batch_size)
        rates = self._recipe.learning_rates(epoch, steps=len(rows))
        self._seed_dropout(epoch)
        losses, correct = self._run_epoch(rows, rates)
        return Epoch(losses, correct, rows.size)

    def logits(self, images: Images) -> NDArray[np.float32]:
        starts = range(0, len(images), IMAGES_AT_ONCE)
        parts = [self._logits(images[start : start + IMAGES_AT_ONCE]) for start in starts]
        return np.concatenate(parts)

    def state(self) -> State:
        arrays = {name: ops.convert_to_numpy(v).copy() for name, v in self._variables.items()}
        return arrays | {"step": arrays["step"].astype(np.int64)}

    def restore(self, state: State) -> None:
        own = {name: (array.dtype, array.shape) for name, array in self.state().items()}
        given = {name: (array.dtype, array.shape) for name, array in state.items()}
        if given != own:
            raise ModelError(
                f"state: expected the {len(own)} arrays of this recipe's network and optimizer, received "
                f"{len(given)}; they differ in {', '.join(sorted(dict(given.items() ^ own.items())))}. "
                "Restore it with its own recipe."
            )
        for name, variable in self._variables.items():
            variable.assign(state[name])

    def _logits(self, images: Images) -> NDArray[np.float32]:
        padded = np.zeros((IMAGES_AT_ONCE, SIDE, SIDE), np.uint8)
        padded[: len(images)] = images
        logits: NDArray[np.float32] = self._model.predict_on_batch(padded)
        return logits[: len(images)]

    def _seed_dropout(self, epoch: int) -> None:
        for layer in self._model.layers:
            if isinstance(layer, keras.layers.Dropout) and layer.rate > 0:
                # Keras's own form: a seed of 31 bits, and the count of draws from it.
                drawn = stream(self._seed, "dropout", epoch, layer.name).integers(2**31)
                layer.seed_generator.state.assign(np.array([drawn, 0]))


def _compile_epoch(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, train: Digits
) -> RunEpoch:
    match keras.backend.backend():
        case "tensorflow":
            from tenfold.keras_engine.tensorflow_epoch import compile_epoch
        case "jax":
            from tenfold.keras_engine.jax_epoch import compile_epoch
        case _:
            from tenfold.keras_engine.torch_epoch import compile_epoch
    return compile_epoch(model, optimizer, train=train)
