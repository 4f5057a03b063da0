"""What only a Keras model in memory can tell: units that never answer, and how it does in training mode.

Keras is not imported here: whoever has such a model has imported it.
"""

import sys
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
        batches = np.array_split(x, max(1, len(x) // ROWS))
        outputs = [numpy_of(model.itself(batch, training=True)) for batch in batches]
        return np.concatenate(outputs).astype(np.float64)
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


def has_own_loss(model: Model) -> bool:
    """Whether a network was compiled with a function or class that is none of Keras's own."""
    loss = getattr(model.itself, "loss", None) if model.kind == "keras" else None
    loss = getattr(loss, "func", loss)
    if not callable(loss):
        return False
    written = getattr(loss, "__module__", None) or type(loss).__module__
    return str(written).split(".")[0] not in ("keras", "tf_keras", "tensorflow")


def loss_of(model: Model, y: NDArray[Any], outputs: NDArray[Any]) -> float | None:
    """What labels y (n, ...) and outputs (n, k) cost by the loss a network was compiled with; None where it cannot say."""
    keras = sys.modules.get("keras")
    if keras is None:
        return None
    try:
        given, told = (keras.ops.convert_to_tensor(a) for a in (y, outputs.astype(np.float32)))
        return float(numpy_of(model.itself.compute_loss(y=given, y_pred=told)))
    except Exception:  # whatever a stranger's loss needs beside labels and outputs
        return None


def held_by_a_bound(layer: Any, most: float, axis: Any) -> float:
    """The share of a layer's units whose weights are as long as a constraint lets them be; 0 where that is unknown."""
    try:
        kernel = np.asarray(numpy_of(layer.kernel), np.float64)
        lengths = np.sqrt((kernel**2).sum(axis=tuple(np.atleast_1d(axis))))
    except Exception:  # a layer without a kernel, or not yet built
        return 0.0
    return float((lengths > 0.98 * most).mean())


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
