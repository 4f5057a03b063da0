"""Predictions as a table, as CSV or as JSON, written while they come: nothing is kept of those that are written."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tenfold.cli import console

if TYPE_CHECKING:
    from tenfold.files import Writer
    from tenfold.predictions import Prediction, Unread

Form = Literal["table", "csv", "json", "jsonl"]

NOT_A_DIGIT = "not a digit"
COLUMNS = ("source", "row", "digit", "confidence", "most_likely")

# A spreadsheet takes a cell that begins so for a formula.
# Source: OWASP, "CSV Injection", https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def form_of(path: Path) -> Form:
    """The form that a file's ending asks for: .json, .jsonl or .ndjson, and CSV for any other."""
    endings: dict[str, Form] = {".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl"}
    return endings.get(path.suffix.lower(), "csv")


class Sheet:
    """One place that predictions are written to, in one form.

    Args:
        form: "table", "csv", "json" (one document) or "jsonl" (a document a line).
        write: takes text; what it has taken is not asked back.
        model: what a JSON document calls the model.
    """

    def __init__(self, form: Form, write: Callable[[str], None], *, model: str) -> None:
        self.rows = 0
        self._form = form
        self._write = write
        self._model = model
        self._unread: list[dict[str, str]] = []

    def add(self, prediction: "Prediction", saw: Sequence[str]) -> None:
        """Write the rows of a prediction; `saw` names the file of each picture, or is empty."""
        before = self._begin() if not self.rows else ""
        if self._form == "table":
            lines = ("\t".join([console.cell(row[0]), *row[1:4]]) for row in _cells(prediction))
            text = "\n".join(lines) + "\n"
        elif self._form == "csv":
            text = _csv((_no_formula(row[0]), *row[1:]) for row in _cells(prediction))
        else:
            rows = [json.dumps(row, allow_nan=False) for row in _values(prediction, saw)]
            text = ",\n    ".join(rows) if self._form == "json" else "\n".join(rows) + "\n"
            before += ",\n    " if self._form == "json" and self.rows else ""
        self._write(before + text)
        self.rows += len(prediction.probabilities)

    def leave_out(self, unread: "Unread") -> None:
        """Name an input that could not be read, where the form has a place for that."""
        self._unread.append({"source": unread.source, "error": str(unread.error)})

    def end(self) -> None:
        """Write what belongs behind the last row."""
        if self._form == "json":
            before = "" if self.rows else self._begin()
            self._write(f'{before}\n  ],\n  "unread": {json.dumps(self._unread)}\n}}\n')

    def _begin(self) -> str:
        if self._form == "csv":
            return _csv([COLUMNS])
        if self._form == "json":
            return f'{{\n  "model": {json.dumps(self._model)},\n  "predictions": [\n    '
        return ""


class FileSheet(Sheet):
    """A file, which is there once the stack closes without an error, and holds whole inputs only.

    Args:
        form: as for Sheet.
        target: the file.
        stack: what the file is open in, from the first row on.
        model: as for Sheet.
    """

    def __init__(self, form: Form, target: Path, stack: ExitStack, *, model: str) -> None:
        super().__init__(form, self._append, model=model)
        self._target = target
        self._stack = stack
        self._file: Writer | None = None
        self._take_back: Callable[[], None] = lambda: None

    def add(self, prediction: "Prediction", saw: Sequence[str]) -> None:
        """Write the rows of a prediction."""
        if prediction.first_row == 0:
            rows, take_back_bytes = self.rows, self._opened().mark()

            def take_back() -> None:
                self.rows = rows
                take_back_bytes()

            self._take_back = take_back
        super().add(prediction, saw)

    def leave_out(self, unread: "Unread") -> None:
        """Take back what was written of an input that could not be read to its end."""
        super().leave_out(unread)
        if unread.rows_told:
            self._take_back()

    def end(self) -> None:
        """Write what belongs behind the last row; nothing where there is none, and so no file."""
        if self.rows:
            super().end()

    def _append(self, text: str) -> None:
        # A name may hold bytes that are no text.
        self._opened().write(text.encode(errors="backslashreplace"))

    def _opened(self) -> "Writer":
        from tenfold.files import replacing

        if self._file is None:
            self._file = self._stack.enter_context(replacing(self._target))
        return self._file


def _cells(prediction: "Prediction") -> list[tuple[str, str, str, str, str]]:
    told = zip(
        prediction.digits.tolist(),
        prediction.confidences.tolist(),
        prediction.is_digit.tolist(),
        strict=True,
    )
    return [
        (
            prediction.source,
            str(row),
            str(digit) if is_digit else NOT_A_DIGIT,
            f"{confidence:.4f}",
            str(digit),
        )
        for row, (digit, confidence, is_digit) in enumerate(told, prediction.first_row)
    ]


def _values(prediction: "Prediction", saw: Sequence[str]) -> list[dict[str, Any]]:
    rows = [
        {
            "source": prediction.source,
            "row": prediction.first_row + row,
            "digit": digit if is_digit else None,
            "confidence": float(prediction.confidences[row]),
            "most_likely": digit,
            "probabilities": prediction.probabilities[row].tolist(),
        }
        for row, (digit, is_digit) in enumerate(
            zip(prediction.digits.tolist(), prediction.is_digit.tolist(), strict=True)
        )
    ]
    return [row | {"saw": name} for row, name in zip(rows, saw, strict=True)] if saw else rows


def _csv(rows: Iterable[Sequence[str]]) -> str:
    table = io.StringIO(newline="")
    csv.writer(table, lineterminator="\n").writerows(rows)
    return table.getvalue()


def _no_formula(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
