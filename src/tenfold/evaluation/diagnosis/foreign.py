"""Networks of scikit-learn and modules of PyTorch: what they tell of themselves, and how they are asked.

Neither is imported here: whoever has one has imported it.
"""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

SOLVERS = {"adam": "Adam", "sgd": "SGD"}
ROWS_AT_A_TIME = 500
MOST_COLUMNS = 99


def training_of(estimator: Any) -> dict[str, Any]:
    """How a network of scikit-learn was trained, under the names of `models.Model`; {} of anything else."""
    optimizer = SOLVERS.get(str(getattr(estimator, "solver", "")))
    if optimizer is None or not hasattr(estimator, "learning_rate_init"):
        return {}
    return {
        "optimizer": optimizer,
        "learning_rate": float(estimator.learning_rate_init),
        "momentum": float(estimator.momentum) if optimizer == "SGD" else 0.0,
    }


def in_their_columns(shares: NDArray[Any], classes: Any) -> NDArray[Any]:
    """(n, k) for the labels `classes` -> a column for each label from 0 to the largest; as it came where they are no labels 0 and on."""
    labels = np.asarray(classes)
    whole = labels.dtype.kind in "iub" or (labels.dtype.kind == "f" and not np.any(labels % 1))
    if np.ndim(shares) != 2 or shares.shape[1] != len(labels) or not whole or labels.min() < 0:
        return shares
    if labels.max() > MOST_COLUMNS or (labels == np.arange(len(labels))).all():
        return shares
    columns = np.zeros((len(shares), int(labels.max()) + 1))
    columns[:, labels.astype(int)] = shares
    return columns


def is_module(given: Any) -> bool:
    """Whether it is a module of PyTorch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(given, torch.nn.Module)


def ask_module(module: Any, x: NDArray[Any]) -> NDArray[Any]:
    """What a module answers to x (n, ...), as float32, in evaluation mode; it is left as it was."""
    torch = sys.modules["torch"]
    was_training = module.training
    like = next(iter(module.parameters()), torch.zeros(0))
    module.eval()
    try:
        with torch.no_grad():
            rows = torch.as_tensor(np.ascontiguousarray(x)).to(like.device, like.dtype)
            return as_array(torch.cat([module(some) for some in rows.split(ROWS_AT_A_TIME)]))
    finally:
        module.train(was_training)


def as_array(outputs: Any) -> NDArray[Any]:
    """What a function gave, a tensor that keeps gradients among others, as NumPy's."""
    if hasattr(outputs, "detach"):
        outputs = outputs.detach().cpu()
    return np.asarray(outputs)
