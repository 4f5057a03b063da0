"""A LiteRT file (.tflite) -> a Classifier, by the runtime that phones and boards have. Needs the extra `litert`."""

from typing import Any

import numpy as np

from tenfold.digits import CLASSES, Images, Probabilities, check_images
from tenfold.errors import MissingExtra, ModelError
from tenfold.modelfile.classifier import CHUNK_IMAGES
from tenfold.modelfile.native import INPUT, OUTPUT


def import_litert() -> Any:
    """The runtime's module; MissingExtra where it is not installed."""
    try:
        from ai_edge_litert import interpreter
    except ImportError as error:
        raise MissingExtra(
            f"LiteRT is not installed ({error}). Install it with: pip install 'tenfold[litert]'"
        ) from error
    return interpreter


class LiteRTClassifier:
    """Runs a LiteRT model on one core.

    Args:
        content: the model, serialised.
        source: what messages call it.

    Raises:
        MissingExtra: LiteRT is not installed.
        ModelError: `content` is not a LiteRT model with our input and output.
    """

    def __init__(self, content: bytes, *, source: str) -> None:
        litert = import_litert()
        try:
            self._interpreter = litert.Interpreter(model_content=content)
            self._run = self._interpreter.get_signature_runner()
            inputs, outputs = (
                set(self._run.get_input_details()),
                set(self._run.get_output_details()),
            )
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{source}: expected a LiteRT model ({error}).") from error
        if (inputs, outputs) != ({INPUT}, {OUTPUT}):
            raise ModelError(
                f"{source}: expected an input `{INPUT}` and an output `{OUTPUT}`, received {inputs} and {outputs}."
            )

    def predict_proba(self, images: Images) -> Probabilities:
        """images uint8 (n, 28, 28) -> float32 (n, 10), rows sum to 1; DataError for other images."""
        images = check_images(images)
        probabilities = np.empty((len(images), CLASSES), np.float32)
        for start in range(0, len(images), CHUNK_IMAGES):
            rows = slice(start, start + CHUNK_IMAGES)
            probabilities[rows] = self._run(**{INPUT: images[rows]})[OUTPUT]
        return probabilities
