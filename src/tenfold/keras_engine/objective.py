"""What every backend shares: what an epoch is made of, the loss and the count of a step."""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from tenfold.digits import Images, Labels
from tenfold.engine import Course, Targets


class Training(NamedTuple):
    """What an epoch works on.

    Attributes:
        model: the network.
        optimizer: for the arrays that the model trains.
        averages: an average for each of these arrays, or none.
        precision: "bfloat16" where the model is `computing` in it, or "float32".
        images: uint8 (n, 28, 28).
        labels: uint8 (n,).
        targets: float32 (n, 10).
    """

    model: keras.Model
    optimizer: keras.optimizers.Optimizer
    averages: list[keras.Variable]
    precision: str
    images: Images
    labels: Labels
    targets: Targets

    @property
    def trained(self) -> list[keras.Variable]:
        """The arrays that are trained, in Keras's order."""
        return list(self.model.trainable_variables)


RunEpoch = Callable[[Course], tuple[NDArray[np.float32], int]]
"""The course of an epoch -> losses (steps,) and the count of right answers.

Each backend makes one for a Training, whose images lie on the device as bytes. It leaves all
variables as the epoch's last step left them.
"""

Logits = Callable[[Images], NDArray[np.float32]]
"""Images (n, 28, 28) -> logits (n, 10), always with the same n: each one is compiled anew."""


def loss_and_correct(logits: Any, targets: Any, labels: Any) -> tuple[Any, Any]:
    """Logits and targets (batch, 10), labels (batch,) -> mean cross-entropy float32 (), right answers int32 ()."""
    loss = ops.mean(ops.categorical_crossentropy(targets, logits, from_logits=True))
    right = ops.equal(ops.cast(ops.argmax(logits, axis=-1), labels.dtype), labels)
    return loss, ops.sum(ops.cast(right, "int32"))


def follow(average: Any, weights: Any, decay: Any) -> Any:
    """The average after a step that gave these weights; see `recipe.Averaging`."""
    return average + (1 - decay) * (weights - average)


def has_layer(model: keras.Model, *kinds: type[keras.Layer]) -> bool:
    """Whether one of the model's layers is of one of these kinds."""
    return any(isinstance(layer, kinds) for layer in model.layers)
