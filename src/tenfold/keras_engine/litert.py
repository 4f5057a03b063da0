"""Networks and weights -> a LiteRT file (.tflite), which phones and boards run. By TensorFlow's converter."""

import tempfile
from collections.abc import Sequence

import keras

from tenfold.digits import SIDE
from tenfold.errors import UsageError
from tenfold.keras_engine.model import answering
from tenfold.keras_engine.quiet import without_remarks
from tenfold.weights import Member

INPUT, OUTPUT = "images", "probabilities"


def to_litert(members: Sequence[Member], *, shifts: int = 0) -> bytes:
    """A LiteRT model, serialised: images uint8 (n, 28, 28) -> probabilities float32 (n, 10), for any n.

    Args:
        members: at least one; the model gives the mean of their probabilities.
        shifts: pixels; the model gives the mean over the picture at these `classifiers.places`.

    Raises:
        UsageError: Keras computes with another backend than TensorFlow.
        ModelError: weights do not belong to their network.
    """
    if keras.backend.backend() != "tensorflow":
        raise UsageError(
            f"litert: expected Keras on TensorFlow, which converts, received {keras.backend.backend()}. "
            "Set KERAS_BACKEND=tensorflow."
        )
    import tensorflow as tf

    model = answering(members, shifts=shifts)
    module = tf.Module()
    # What it holds is saved with it; of a Keras model TensorFlow sees no variables.
    module.kept = [variable.value for variable in model.variables]

    @tf.function(input_signature=[tf.TensorSpec((None, SIDE, SIDE), tf.uint8, name=INPUT)])
    def answer(images):  # type: ignore[no-untyped-def]
        pictures = tf.cast(images, tf.float32)[..., None]
        return {OUTPUT: model(pictures, training=False)}

    with tempfile.TemporaryDirectory() as folder, without_remarks():
        tf.saved_model.save(module, folder, signatures={"serving_default": answer})
        return bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())
