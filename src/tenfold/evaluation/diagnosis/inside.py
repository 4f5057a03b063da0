"""What only a Keras model in memory can tell: units that never answer, and how it does in training mode.

Keras is not imported here: whoever has such a model has imported it.
"""

import sys
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.evaluation.diagnosis.models import Model, numpy_of

ROWS = 512
RELU = ("relu", "relu6")


def silent_units(model: Model, x: NDArray[Any]) -> dict[str, float]:
    """For each hidden ReLU layer, the share of its units that are 0 for every row of x (n, ...)."""
    keras = sys.modules.get("keras")
    if model.kind != "keras" or not model.ordered or keras is None:
        return {}
    hidden = [layer.itself for layer in model.layers[:-1] if layer.activation in RELU]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            look = keras.Model(model.itself.inputs, [layer.output for layer in hidden])
            given = look.predict_on_batch(x[:ROWS])
    except Exception:  # layers without one output, an older Keras: then this is not known
        return {}
    given = given if isinstance(given, (list, tuple)) else [given]
    return {
        str(layer.name): float(
            (np.asarray(out).reshape(-1, np.asarray(out).shape[-1]) <= 0).all(axis=0).mean()
        )
        for layer, out in zip(hidden, given, strict=True)
    }


def in_training_mode(model: Model, x: NDArray[Any]) -> NDArray[np.float64] | None:
    """The outputs (n, k) with dropout on and batch normalisation by the batch; the model is left as it was."""
    if model.kind != "keras":
        return None
    kept = [
        (v, np.array(numpy_of(v))) for v in getattr(model.itself, "non_trainable_variables", ())
    ]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            outputs = numpy_of(model.itself(x[:ROWS], training=True))
        return np.asarray(outputs, np.float64)
    except Exception:  # a model whose call takes no `training`
        return None
    finally:
        for variable, value in kept:
            variable.assign(value)


def penalty(model: Model) -> float:
    """What regularisers add to the loss."""
    if model.kind != "keras":
        return 0.0
    try:
        return float(sum(float(numpy_of(loss)) for loss in model.itself.losses))
    except Exception:  # as above
        return 0.0


def weights_are_finite(model: Model) -> bool:
    """Whether every weight is a number; True where that cannot be seen."""
    if model.kind != "keras":
        return True
    try:
        return all(
            bool(np.isfinite(w).all()) for w in model.itself.get_weights() if w.dtype.kind == "f"
        )
    except Exception:  # as above
        return True
