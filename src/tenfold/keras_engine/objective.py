"""What every backend shares: the loss and the count of a step, and the two functions it compiles."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from tenfold.digits import Images

RunEpoch = Callable[[NDArray[np.int32], NDArray[np.float32]], tuple[NDArray[np.float32], int]]
"""Batches (steps, batch) of rows, learning rates (steps,) -> losses (steps,) and the count of right answers.

Each backend makes one for a model, an optimizer and digits, which lie on the device as bytes. It leaves
the model's and the optimizer's variables as the epoch's last step left them.
"""

Logits = Callable[[Images], NDArray[np.float32]]
"""Images (n, 28, 28) -> logits (n, 10), always with the same n: each one is compiled anew."""


def loss_and_correct(logits: Any, labels: Any) -> tuple[Any, Any]:
    """Logits (batch, 10), labels int32 (batch,) -> mean cross-entropy float32 (), right answers int32 ()."""
    loss = ops.mean(ops.sparse_categorical_crossentropy(labels, logits, from_logits=True))
    right = ops.equal(ops.argmax(logits, axis=-1), labels)
    return loss, ops.sum(ops.cast(right, "int32"))


def has_layer(model: keras.Model, *kinds: type[keras.Layer]) -> bool:
    """Whether one of the model's layers is of one of these kinds."""
    return any(isinstance(layer, kinds) for layer in model.layers)
