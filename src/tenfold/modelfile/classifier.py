"""A run folder, a model folder or an .onnx file -> a Classifier, without Keras or TensorFlow.

Knows nothing about training or about what the answers are used for. A foreign .onnx file is taken
where it has the signature of tenfold's own; it is data for onnxruntime's operators and holds no code.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tenfold.digits import CLASSES, SIDE, Images, Probabilities, check_images
from tenfold.errors import ModelError
from tenfold.modelfile.native import MANIFEST, MAX_MODEL_BYTES, read_onnx

# Enough to keep every core busy; a small convolutional network then holds a few tens of MB.
CHUNK_IMAGES = 256

_SIGNATURE = (
    f"one input `images`, uint8 (n, {SIDE}, {SIDE}) with any n, and one output `probabilities`, "
    f"float32 (n, {CLASSES})"
)


class OnnxClassifier:
    """Runs an ONNX model on all cores of this machine.

    Raises:
        ModelError: `content` is not an ONNX model, or takes or gives something else than ours.
    """

    def __init__(self, content: bytes, *, source: str) -> None:
        """`source` names the model in messages."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # What goes wrong comes as an exception; the log would say it a second time, on stderr.
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's errors have no base of their own
            raise ModelError(f"{source}: expected an ONNX model ({error}).") from error
        received = [*self._session.get_inputs(), *self._session.get_outputs()]
        if not _is_ours(received):
            described = "; ".join(f"{part.name} {part.type} {part.shape}" for part in received)
            raise ModelError(
                f"{source}: expected {_SIGNATURE}; received {described}. "
                "Wrap the model so that it scales, reshapes and applies softmax itself."
            )

    def predict_proba(self, images: Images) -> Probabilities:
        """images uint8 (n, 28, 28) -> float32 (n, 10), rows sum to 1; DataError for other images."""
        images = check_images(images)
        probabilities = np.empty((len(images), CLASSES), np.float32)
        for start in range(0, len(images), CHUNK_IMAGES):
            rows = slice(start, start + CHUNK_IMAGES)
            probabilities[rows] = self._session.run(None, {"images": images[rows]})[0]
        return probabilities


