"""Training and use on TensorFlow: all steps of an epoch in one graph, so Python waits once an epoch.

Both functions are called as concrete ones: they are traced once for an engine, and TensorFlow would
take the next engine in the same process for a retracing to warn of.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tenfold.digits import Digits, Images
from tenfold.keras_engine.objective import Logits, RunEpoch, has_layer, loss_and_correct

# XLA, which takes half the time of TensorFlow's own graph for dense layers, makes these slower on a
# CPU: over 10 times for 16 and 32 filters at batch 128, 6 times for dropout behind 256 and 128 units.
SLOW_IN_XLA = (keras.layers.Conv2D, keras.layers.Dropout)


def compile_epoch(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, *, train: Digits
) -> RunEpoch:
    """The epoch function (see `objective.RunEpoch`) for a model and an optimizer on `train`."""
    images = tf.constant(train.images[..., None])
    labels = tf.constant(train.known_labels.astype(np.int32))
    trained = model.trainable_variables

    def epoch(batches: tf.Tensor, rates: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        def step(number: tf.Tensor, losses: tf.TensorArray, correct: tf.Tensor) -> tuple[Any, ...]:
            rows = batches[number]
            with tf.GradientTape() as tape:
                logits = model(tf.gather(images, rows), training=True)
                loss, right = loss_and_correct(logits, tf.gather(labels, rows))
            gradients = tape.gradient(loss, [variable.value for variable in trained])
            optimizer.learning_rate.assign(rates[number])
            optimizer.apply(gradients, trained)
            return number + 1, losses.write(number, loss), correct + right

        steps = batches.shape[0]
        start = (0, tf.TensorArray(tf.float32, size=steps), 0)
        _, losses, correct = tf.while_loop(lambda number, *_: number < steps, step, start)
        return losses.stack(), correct

    # The loop is written out: AutoGraph, which would make one of Python's, reads source code in ways
    # that Python 3.13 warns of.
    use_xla = not has_layer(model, *SLOW_IN_XLA)
    compiled = tf.function(epoch, autograph=False, jit_compile=use_xla)

    def run(
        batches: NDArray[np.int32], rates: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], int]:
        given = tf.constant(batches), tf.constant(rates)
        losses, correct = compiled.get_concrete_function(*given)(*given)
        return losses.numpy(), int(correct)

    return run


def compile_logits(model: keras.Model) -> Logits:
    """The model as in use, for one number of images at a time."""
    compiled = tf.function(lambda images: model(images, training=False))

    def logits(images: Images) -> NDArray[np.float32]:
        given = tf.constant(images)
        result: NDArray[np.float32] = compiled.get_concrete_function(given)(given).numpy()
        return result

    return logits
