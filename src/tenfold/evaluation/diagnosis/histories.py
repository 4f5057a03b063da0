"""A record of a training in any common form -> the figures of each epoch under one set of names."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import UsageError

NAMES = {
    "loss": ("loss", "train_loss", "training_loss"),
    "accuracy": (
        "accuracy", "acc", "sparse_categorical_accuracy", "categorical_accuracy", "binary_accuracy",
        "train_accuracy", "train_acc", "compile_metrics",
    ),
    "validation_loss": ("val_loss", "validation_loss"),
    "validation_accuracy": (
        "val_accuracy", "val_acc", "val_sparse_categorical_accuracy", "val_categorical_accuracy",
        "val_binary_accuracy", "validation_accuracy", "val_compile_metrics",
    ),
    "learning_rate": ("learning_rate", "lr"),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class History:
    """What a training wrote down, each (epochs,) float64; None for what it did not.

    `steps` are those of an epoch, `binary` whether the accuracy counted is `binary_accuracy` by name.
    """

    loss: NDArray[np.float64] | None = None
    accuracy: NDArray[np.float64] | None = None
    validation_loss: NDArray[np.float64] | None = None
    validation_accuracy: NDArray[np.float64] | None = None
    learning_rate: NDArray[np.float64] | None = None
    steps: int | None = None
    binary: bool = False

    @property
    def epochs(self) -> int:
        """How many epochs there are."""
        return max(
            (len(v) for v in (self.loss, self.accuracy, self.validation_loss) if v is not None),
            default=0,
        )


def history_of(given: Any) -> History | None:
    """A Keras History, a mapping of lists, a table, or one mapping or JSON line an epoch -> History.

    Raises:
        UsageError: it is none of these.
    """
    if given is None or isinstance(given, History):
        return given
    if isinstance(given, list) and given and all(isinstance(loss, float) for loss in given):
        given = {"loss": given}  # as networks of scikit-learn keep them
    params = getattr(given, "params", None)
    columns = _columns(getattr(given, "history", given))
    found: dict[str, Any] = {}
    for name, spellings in NAMES.items():
        spelt = next((s for s in spellings if s in columns), None)
        if spelt is not None:
            found[name] = _numbers(columns[spelt])
    steps = params.get("steps") if isinstance(params, Mapping) else None
    binary = "binary_accuracy" in columns
    return History(**found, steps=steps if isinstance(steps, int) else None, binary=binary)


def _columns(given: Any) -> Mapping[str, Any]:
    if hasattr(given, "to_dict") and hasattr(given, "columns"):
        given = given.to_dict("list")
    if isinstance(given, Mapping):
        return {str(name): column for name, column in given.items()}
    lines = given.splitlines() if isinstance(given, str) else given
    try:
        rows = [_row(row) for row in lines] if isinstance(lines, Iterable) else None
    except (ValueError, TypeError, AttributeError):
        rows = None
    if rows is None:
        raise UsageError(
            "history: expected what `model.fit` returns, its `.history`, or one mapping an epoch, "
            f"received {f'the text {given[:40]!r}' if isinstance(given, str) else type(given).__name__}. Leave it out where there is none."
        )
    names = {name for row in rows for name in row}
    return {name: [row.get(name) for row in rows] for name in names}


def _row(row: Any) -> dict[str, Any]:
    if isinstance(row, (str, bytes)):
        row = json.loads(row)
    if hasattr(row, "_asdict"):
        row = row._asdict()
    return dict(row)


def _numbers(column: Any) -> NDArray[np.float64] | None:
    """A column of numbers, or of their texts as a CSV file has them; None where there are none."""

    def number(value: Any) -> float:
        try:
            return float(value)
        except (TypeError, ValueError):
            return math.nan

    values = [column] if np.ndim(column) == 0 else list(column)
    if all(value is None or value == "" for value in values):
        return None
    return np.array([number(value) for value in values], np.float64)
