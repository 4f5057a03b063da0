"""Training and use on JAX: a pure step on (trained, kept, optimizer's) arrays, scanned over the batches."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from numpy.typing import NDArray

from tenfold.augmentation import Warps
from tenfold.digits import Images
from tenfold.engine import Course
from tenfold.keras_engine.augment import warp
from tenfold.keras_engine.objective import (
    Logits,
    RunEpoch,
    Training,
    follow,
    has_layer,
    loss_and_correct,
)

Arrays = list[Any]
State = tuple[Arrays, Arrays, Arrays, Arrays]


BatchNormalization = keras.layers.BatchNormalization


def compile_epoch(training: Training) -> RunEpoch:
    """The epoch function (see `objective.RunEpoch`) for a training."""
    model, optimizer = training.model, training.optimizer
    images, labels, targets = (
        jnp.asarray(array)
        for array in (training.images[..., None], training.labels, training.targets)
    )
    groups = (
        training.trained,
        model.non_trainable_variables,
        optimizer.variables,
        training.averages,
    )
    rate_at = [variable.name for variable in optimizer.variables].index("learning_rate")

    def forward(trained: Arrays, kept: Arrays, pictures: Any, rows: Any) -> Any:
        logits, kept = model.stateless_call(trained, kept, pictures, training=True)
        loss, right = loss_and_correct(logits, targets[rows], labels[rows])
        return loss, (right, kept)

    def step(warps: Warps | None, state: State, now: Any) -> tuple[State, Any]:
        (trained, kept, slots, averages), (rows, rate, decay) = state, now
        slots[rate_at] = rate
        pictures = images[rows]
        if warps is not None:
            # The side of a patch is one for all images.
            pictures = warp(
                pictures, jax.tree.map(lambda part: part[rows] if part.ndim else part, warps)
            )
        (loss, (right, kept)), gradients = jax.value_and_grad(forward, has_aux=True)(
            trained, kept, pictures, rows
        )
        trained, slots = optimizer.stateless_apply(slots, gradients, trained)
        averages = [
            follow(average, weights, decay)
            for average, weights in zip(averages, trained, strict=bool(averages))
        ]
        return (trained, kept, slots, averages), (loss, right)

    # For a CPU, XLA makes convolutions in a loop 5 times as slow as outside one (16 and 32 filters).
    one_by_one = has_layer(model, keras.layers.Conv2D) and jax.default_backend() == "cpu"
    epoch = _one_by_one(step) if one_by_one else _scanned(step)

    def run(course: Course) -> tuple[NDArray[np.float32], int]:
        # Nothing is donated: whoever interrupts an epoch keeps the variables from before it.
        before = tuple(_values(group) for group in groups)
        warps = jax.tree.map(jnp.asarray, course.warps)
        after, (losses, right) = epoch(warps, before, (course.rows, course.rates, course.decays))
        for group, values in zip(groups, after, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return np.asarray(losses), int(np.sum(right))

    return run


def compile_logits(model: keras.Model) -> Logits:
    """The model as in use, for one number of images at a time."""
    compiled = jax.jit(lambda trained, kept, images: model.stateless_call(trained, kept, images)[0])

    def logits(images: Images) -> NDArray[np.float32]:
        arrays = (_values(model.trainable_variables), _values(model.non_trainable_variables))
        return np.asarray(compiled(*arrays, images))

    return logits


def _values(variables: list[keras.Variable]) -> Arrays:
    return [variable.value for variable in variables]


def _scanned(step: Any) -> Any:
    """A compiled loop over the batches: the device waits for nobody."""

    def epoch(warps: Warps | None, state: State, steps: Any) -> Any:
        return jax.lax.scan(partial(step, warps), state, steps)

    return jax.jit(epoch)


def _one_by_one(step: Any) -> Any:
    """A compiled step, called for each batch."""
    compiled = jax.jit(step)

    def epoch(warps: Warps | None, state: State, steps: Any) -> tuple[State, Any]:
        results = []
        for now in zip(*steps, strict=True):
            state, result = compiled(warps, state, now)
            results.append(result)
        losses, right = zip(*jax.device_get(results), strict=True)
        return state, (np.stack(losses), np.stack(right))

    return epoch
