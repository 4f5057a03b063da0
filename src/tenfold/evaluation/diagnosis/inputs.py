"""Whatever somebody calls x and y -> a Part: arrays, labels as whole numbers, and what is odd about them."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import Images
from tenfold.errors import UsageError
from tenfold.evaluation.diagnosis.pictures import restore

Form = str
"""How labels were given: "whole", "column" (n, 1), "one-hot", "bad one-hot", "text", "fractions",
"one picture each" (a row of one-hot shape that holds no 1 at one place), or "none"."""

MOST_ROWS = 70_000


@dataclass(frozen=True, eq=False)
class Part:
    """One part of the data as it was given.

    Attributes:
        name: "train", "validation" or "test".
        x: (n, ...), as given.
        y: as given, or None.
        labels: int64 (n,), or None where y could not be read as one label a row.
        form: how the labels were given.
        odd: what is wrong with the form, in words; "" where nothing is.
    """

    name: str
    x: NDArray[Any]
    y: NDArray[Any] | None
    labels: NDArray[np.int64] | None
    form: Form
    odd: str = ""

    def __len__(self) -> int:
        return len(self.x)

    @cached_property
    def pictures(self) -> Images | None:
        """uint8 (n, 28, 28), preparation undone; None where the rows are no pictures."""
        return restore(self.x)

    @cached_property
    def features(self) -> NDArray[Any]:
        """What a probe looks at: the pictures where there are some, else x as it is, 0 for NaN."""
        if self.pictures is not None:
            return self.pictures
        with np.errstate(all="ignore"):
            return np.nan_to_num(self.x.astype(np.float32), posinf=0.0, neginf=0.0)

    @cached_property
    def unlabelled(self) -> NDArray[np.bool_]:
        """bool (n,): whose label is NaN, or what NumPy makes of it in whole numbers."""
        none = np.zeros(len(self), bool)
        if self.y is None or self.y.ndim != 1:
            return none
        if self.y.dtype.kind == "f":
            none = ~np.isfinite(self.y)
        elif self.y.dtype.kind == "i" and self.y.dtype.itemsize >= 4:
            none = self.y == np.iinfo(self.y.dtype).min
        return none

    @cached_property
    def words(self) -> list[str]:
        """What labels of text are called that is no number, in the order of `labels`; [] where there is none."""
        if self.form != "text" or self.y is None or self.labels is None or self.y.size != len(self):
            return []
        names = np.unique(self.y.reshape(-1).astype(str))
        return [] if _are_numbers(names) else [str(name) for name in names]

    def rows(self, most: int) -> NDArray[np.intp]:
        """At most `most` row numbers, evenly spread, so that the order of the rows can be seen in them."""
        return np.unique(np.linspace(0, len(self) - 1, min(most, len(self))).round()).astype(
            np.intp
        )


def part_of(name: str, given: Any) -> Part | None:
    """(x, y), a pair of frames, Digits, or x alone -> Part; None of None.

    Raises:
        UsageError: it is none of these, x has no rows, or x and y have not equally many.
    """
    if given is None:
        return None
    if hasattr(given, "images") and hasattr(given, "labels"):
        given = (given.images, given.labels)
    if isinstance(given, tuple) and len(given) > 2:
        raise UsageError(
            f"{name}: expected (x, y), received {len(given)} things. Leave weights of samples out: {name}=(x, y)."
        )
    streams = hasattr(given, "__iter__") and not hasattr(given, "__len__")
    if (streams and not hasattr(given, "shape")) or hasattr(given, "element_spec"):
        raise UsageError(
            f"{name}: expected (x, y) as arrays, received {type(given).__name__}, whose rows come one after the other. "
            "Collect them: x = np.concatenate([x for x, y in batches]), y likewise."
        )
    pair = given if isinstance(given, (tuple, list)) and len(given) == 2 else (given, None)
    x, y = as_array(pair[0]), None if pair[1] is None else as_array(pair[1])
    if pair[1] is not None and (y is None or y.ndim == 0):
        raise UsageError(
            f"{name}: expected a label for each row in y, received {type(pair[1]).__name__}. "
            "Give the arrays that went into model.fit."
        )
    if x is None or x.ndim < 2 or len(x) == 0:
        raise UsageError(
            f"{name}: expected (x, y) with x of shape (n, ...) and n >= 1, received x of shape "
            f"{getattr(x, 'shape', None)}. Give the arrays that went into model.fit."
        )
    if x.dtype.kind not in "uifb":
        x = _as_numbers(name, x)
    labels, form, odd = (None, "none", "") if y is None else read_labels(y, len(x))
    if y is not None and y.ndim and len(y) != len(x) and not odd:
        raise UsageError(
            f"{name}: expected one label for each of {len(x):,} rows of x, received {len(y):,}. "
            "Give x and y of the same part."
        )
    if len(x) > MOST_ROWS:
        kept = np.linspace(0, len(x) - 1, MOST_ROWS).astype(np.intp)
        x, y = x[kept], y[kept] if y is not None and len(y) > len(kept) else y
        labels = None if labels is None else labels[kept]
    return Part(name, x, y, labels, form, odd)


def as_array(given: Any) -> NDArray[Any] | None:
    """An array, frame, series, list or tensor of any framework -> ndarray; None where it is none."""
    if hasattr(given, "detach"):
        given = given.detach().cpu()
    if hasattr(given, "to_numpy"):
        return np.asarray(given.to_numpy())
    try:
        return np.asarray(given)
    except (TypeError, ValueError):
        return None


def _as_numbers(name: str, x: NDArray[Any]) -> NDArray[np.float32]:
    try:
        return x.astype(np.float32)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{name}: expected numbers in x, received {x.dtype} that cannot be read as such. Take the "
            "columns of pixels alone."
        ) from error


def read_labels(y: NDArray[Any], rows: int) -> tuple[NDArray[np.int64] | None, Form, str]:
    """y as given -> (labels int64 (rows,) or None, form, what is odd about it)."""
    if y.dtype.kind == "O":
        with suppress(TypeError, ValueError):
            if not any(isinstance(value, (str, bytes)) for value in y.ravel().tolist()):
                y = y.astype(np.float64)
    if y.dtype.kind in "OUS":
        return (
            _of_text(y)
            if y.size == rows
            else (None, "text", f"y holds text in the shape {y.shape}")
        )
    if y.dtype.kind not in "uifb":
        return None, "text", f"y has the dtype {y.dtype}"
    if y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1 and len(y) == rows):
        return _of_numbers(y.reshape(-1), "whole" if y.ndim == 1 else "column")
    if y.ndim == 2 and len(y) == rows:
        return _of_rows(y)
    if y.ndim == 2 and y.shape[1] == rows:
        labels = y.argmax(axis=0).astype(np.int64)
        return labels, "bad one-hot", f"y has the shape {y.shape}: rows and columns are swapped"
    odd = f"y has the shape {y.shape} for {rows:,} rows of x"
    if y.ndim == 3 and len(y) == rows and y.shape[1] > 2:
        # One-hot of one-hot: the inner code says 1 where the outer one had its 1.
        return y[..., 1].argmax(axis=1).astype(np.int64), "bad one-hot", odd + ", coded twice"
    return None, "bad one-hot", odd


def _of_text(y: NDArray[Any]) -> tuple[NDArray[np.int64] | None, Form, str]:
    flat = y.reshape(-1)
    text = any(isinstance(value, (str, bytes)) for value in flat[:100].tolist())
    if _are_numbers(np.unique(flat.astype(str))):
        labels = flat.astype(str).astype(np.float64).astype(np.int64)
    else:
        labels = np.unique(flat.astype(str), return_inverse=True)[1].astype(np.int64)
    if not text:
        return labels, "whole", ""
    return labels, "text", f"y holds text such as {str(flat[0])!r}"


def _are_numbers(names: NDArray[Any]) -> bool:
    """Whether every text of `names` can be read as a number."""
    try:
        return bool(np.isfinite(names.astype(np.float64)).all())
    except ValueError:
        return False


def _of_numbers(y: NDArray[Any], form: Form) -> tuple[NDArray[np.int64] | None, Form, str]:
    with np.errstate(all="ignore"):
        whole = np.nan_to_num(y.astype(np.float64), nan=-1.0, posinf=-1.0, neginf=-1.0)
    if (whole == np.rint(whole)).all():
        return whole.astype(np.int64), form, ""
    _, labels = np.unique(whole, return_inverse=True)
    known = labels.max() < 100
    return (
        labels.astype(np.int64) if known else None,
        "fractions",
        f"y holds fractions such as {float(y[whole != np.rint(whole)][0]):.4g}",
    )


def _of_rows(y: NDArray[Any]) -> tuple[NDArray[np.int64], Form, str]:
    """Rows (n, c) that should hold one 1 each, or shares that sum to 1."""
    sums = y.sum(axis=1, dtype=np.float64)
    labels = y.argmax(axis=1).astype(np.int64)
    odd = np.abs(sums - 1) > 1e-3
    if odd.any():
        what = f"{int(odd.sum()):,} of {len(y):,} rows of y sum to {sums[odd][0]:g}, not to 1"
        return labels, "bad one-hot", what
    if (y < 0).any():
        return labels, "bad one-hot", "y holds negative numbers"
    if len(y) > 20 and len(np.unique(labels)) == 1 and y.shape[1] > 2:
        return labels, "bad one-hot", f"every row of y is of class {labels[0]}"
    return labels, "one-hot", ""
