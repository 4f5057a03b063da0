"""Training and use on TensorFlow: all steps of an epoch in one graph, so Python waits once an epoch.

Both functions are called as concrete ones: they are traced once for an engine, and TensorFlow would
take the next engine in the same process for a retracing to warn of.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
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

# XLA, which takes half the time of TensorFlow's own graph for dense layers, makes these slower on a
# CPU: over 10 times for 16 and 32 filters at batch 128, 6 times for dropout behind 256 and 128 units. Of bfloat16 it
# makes no use there.
SLOW_IN_XLA = (keras.layers.Conv2D, keras.layers.Dropout)

# oneDNN normalises bfloat16 only in whole blocks of channels; TensorFlow's own code, which takes the rest, is
# six times slower than float32.
CHANNELS_IN_A_BLOCK = 16


class BatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc] # keras has no types
    """Keras's layer, which in training on pictures computes with one operation of TensorFlow's: Keras's own
    dozen go through memory three times as often."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not training or len(inputs.shape) != 4:
            return super().call(inputs, training=training, mask=mask)
        channels = inputs.shape[-1]
        pictures = tf.cast(inputs, tf.float32) if channels % CHANNELS_IN_A_BLOCK else inputs
        normalised, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            pictures, self.gamma.value, self.beta.value, epsilon=self.epsilon, is_training=True
        )
        # It gives the variance of which the batch is a sample: the sum of squares over one less than their number.
        count = tf.cast(tf.size(inputs) // channels, tf.float32)
        for moving, batch in (
            (self.moving_mean, mean),
            (self.moving_variance, variance * ((count - 1) / count)),
        ):
            moving.assign(moving.value * self.momentum + batch * (1 - self.momentum))
        return tf.cast(normalised, inputs.dtype)


def compile_epoch(training: Training) -> RunEpoch:
    """The epoch function (see `objective.RunEpoch`) for a training."""
    model, optimizer, trained = training.model, training.optimizer, training.trained
    images = tf.constant(training.images[..., None])
    labels = tf.constant(training.labels)
    targets = tf.constant(training.targets)

    # An epoch is one program of XLA's where XLA is good at all of it. In a loop of XLA's nothing but
    # matrix products is shared among cores, so a warp there takes as long as a step outside.
    slow = has_layer(model, *SLOW_IN_XLA) or training.precision == "bfloat16"

    def update(gradients: list[tf.Tensor], rate: tf.Tensor, decay: tf.Tensor) -> None:
        optimizer.learning_rate.assign(rate)
        optimizer.apply(gradients, trained)
        if training.averages:
            for average, weights in zip(training.averages, trained, strict=True):
                average.assign(follow(average.value, weights.value, decay))

    def learn(
        pictures: tf.Tensor, wanted: tf.Tensor, truth: tf.Tensor, rate: tf.Tensor, decay: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            loss, right = loss_and_correct(model(pictures, training=True), wanted, truth)
        gradients = tape.gradient(loss, [variable.value for variable in trained])
        fused(update)(gradients, rate, decay)
        return loss, right

    learn_in_loop = learn if slow else fused(learn)

    def epoch(course: Course) -> tuple[tf.Tensor, tf.Tensor]:
        def step(number: tf.Tensor, losses: tf.TensorArray, correct: tf.Tensor) -> tuple[Any, ...]:
            rows = course.rows[number]
            pictures = tf.gather(images, rows)
            if course.warps is not None:
                pictures = fused(warp)(pictures, taken(course.warps, rows))
            wanted, truth = tf.gather(targets, rows), tf.gather(labels, rows)
            loss, right = learn_in_loop(
                pictures, wanted, truth, course.rates[number], course.decays[number]
            )
            return number + 1, losses.write(number, loss), correct + right

        steps = course.rows.shape[0]
        start = (0, tf.TensorArray(tf.float32, size=steps), 0)
        _, losses, correct = tf.while_loop(lambda number, *_: number < steps, step, start)
        return losses.stack(), correct

    # The loop is written out: AutoGraph, which would make one of Python's, reads source code in ways
    # that Python 3.13 warns of.
    whole = tf.function(epoch, autograph=False, jit_compile=True)
    looped = tf.function(epoch, autograph=False)

    def run(course: Course) -> tuple[NDArray[np.float32], int]:
        given: Course = tf.nest.map_structure(on_device, course)
        compiled = looped if slow or course.warps is not None else whole
        losses, correct = compiled.get_concrete_function(given)(given)
        return losses.numpy(), int(correct)

    return run


def fused(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as one operation of the graph, compiled by XLA: dozens of small ones take longer to
    be called than to be done."""
    one_operation: Callable[..., Any] = tf.function(function, autograph=False, jit_compile=True)
    return one_operation


def on_device(part: Any) -> Any:
    """A tensor for an array; anything else as it is."""
    return tf.constant(part) if isinstance(part, np.ndarray) else part


def taken(warps: Warps, rows: tf.Tensor) -> Warps:
    """The warps of the images at `rows`."""
    return Warps._make(
        tf.gather(part, rows) if isinstance(part, tf.Tensor) else part for part in warps
    )


def compile_logits(model: keras.Model) -> Logits:
    """The model as in use, for one number of images at a time."""
    compiled = tf.function(lambda images: model(images, training=False))

    def logits(images: Images) -> NDArray[np.float32]:
        given = tf.constant(images)
        result: NDArray[np.float32] = compiled.get_concrete_function(given)(given).numpy()
        return result

    return logits
