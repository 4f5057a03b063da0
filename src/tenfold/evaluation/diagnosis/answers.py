"""What a model answered to rows of a part."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.statistics import Proportion

Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Answers:
    """What the model answered to some rows of a part.

    Attributes:
        rows: (m,) which rows.
        outputs: float64 (m, k) as the model gave them; (m, 0) where it gave classes.
        told: int64 (m,): the class it decides for.
        labels: int64 (m,) or None.
    """

    rows: NDArray[np.intp]
    outputs: NDArray[np.float64]
    told: Whole
    labels: Whole | None

    @property
    def accuracy(self) -> Proportion:
        """Rows told as labelled; of none where there are no labels."""
        if self.labels is None:
            return Proportion(0, 0)
        return Proportion(int((self.told == self.labels).sum()), len(self.told))

    @property
    def finite(self) -> bool:
        """Whether every output is a number."""
        return bool(np.isfinite(self.outputs).all())

    @cached_property
    def are_all_alike(self) -> bool:
        """Whether every row gets the same outputs, whatever it shows."""
        o = self.outputs
        return (
            self.finite and o.shape[1] > 1 and len(o) > 1 and float(np.ptp(o, axis=0).max()) < 1e-6
        )

    @cached_property
    def are_probabilities(self) -> bool:
        """Whether outputs are 0..1 and sum to 1."""
        o = self.outputs
        if o.shape[1] < 2 or not self.finite:
            return False
        return bool((o >= -1e-6).all() and np.abs(o.sum(axis=1) - 1).max() < 1e-3)

    @cached_property
    def log_loss(self) -> float | None:
        """Mean -log(probability of the label), of probabilities; None of anything else."""
        if (
            self.labels is None
            or not self.are_probabilities
            or self.labels.max() >= self.outputs.shape[1]
        ):
            return None
        own = self.outputs[np.arange(len(self.labels)), self.labels]
        return float(-np.log(np.maximum(own, 1e-7)).mean())


def answers_of(rows: NDArray[np.intp], outputs: NDArray[Any], labels: Whole | None) -> Answers:
    """Whatever a model gave, (m,), (m, 1) or (m, k), text or numbers -> Answers."""
    if outputs.ndim > 2:
        outputs = outputs.reshape(len(outputs), -1)
    if outputs.dtype.kind in "OUS":
        outputs = outputs.reshape(-1).astype(str).astype(np.float64)
    floats = outputs.astype(np.float64)
    if floats.ndim == 2 and floats.shape[1] > 1:
        with np.errstate(all="ignore"):
            told = np.nan_to_num(floats, nan=-np.inf).argmax(axis=1).astype(np.int64)
        return Answers(rows, floats, told, labels)
    flat = np.nan_to_num(floats.reshape(-1))
    whole = bool((flat == np.rint(flat)).all()) and floats.ndim == 1
    kept = np.empty((len(flat), 0)) if whole else floats.reshape(-1, 1)
    return Answers(rows, kept, np.rint(np.clip(flat, -1e9, 1e9)).astype(np.int64), labels)
