"""The exception tree, and the look-up that ends in a sentence instead of a traceback.

Every error tenfold raises on purpose says what was expected, what was received and the next step.
Each leaf is also the builtin a stranger would catch; `exit_code` is what the command line returns.

    TenfoldError                    1   anything tenfold raises on purpose
    ├── UsageError      ValueError  2   an argument cannot be right
    │   ├── UnknownName LookupError 2   a name that is not in the table it is looked up in
    │   └── RecipeError             2   a network or a recipe contradicts itself
    ├── DataError       ValueError  3   pixels, labels or files are not what they claim to be
    ├── CorruptFile     OSError     3   a file that tenfold wrote is damaged or half there
    ├── DownloadError   OSError     4   no source of a data set could be reached
    ├── MissingExtra    ImportError 5   an optional package is not installed
    ├── GateError       RuntimeError 6  a quality gate that was asked for was not met
    ├── ModelError      ValueError  7   no model there, or not one that can be used here
    ├── ParityError     RuntimeError 8  an exported model disagrees with the model it came from
    └── TrainingError   ArithmeticError 1  the training itself failed: its loss is no longer a number
"""

import difflib
from collections.abc import Mapping
from typing import ClassVar, TypeVar

T = TypeVar("T")


class TenfoldError(Exception):
    """Every error this package raises on purpose."""

    exit_code: ClassVar[int] = 1


class UsageError(TenfoldError, ValueError):
    """An argument, or a combination of arguments, that cannot be right."""

    exit_code = 2


class UnknownName(UsageError, LookupError):
    """A name that is not in the table it was looked up in."""


class RecipeError(UsageError):
    """A network or a recipe contradicts itself."""


class DataError(TenfoldError, ValueError):
    """Pixels, labels or files are not what they claim to be."""

    exit_code = 3


class CorruptFile(TenfoldError, OSError):
    """A file that tenfold wrote is missing, damaged or half there."""

    exit_code = 3


class DownloadError(TenfoldError, OSError):
    """No source of a data set could be reached."""

    exit_code = 4


class MissingExtra(TenfoldError, ImportError):
    """An optional package is not installed; the message holds the command that installs it."""

    exit_code = 5


class GateError(TenfoldError, RuntimeError):
    """A quality gate that was asked for was not met."""

    exit_code = 6


class ModelError(TenfoldError, ValueError):
    """No model where one was expected, or one that cannot be used here."""

    exit_code = 7


class ParityError(TenfoldError, RuntimeError):
    """An exported model disagrees with the model it came from."""

    exit_code = 8


class TrainingError(TenfoldError, ArithmeticError):
    """The training itself failed: its loss is no longer a finite number."""


def lookup(table: Mapping[str, T], name: str, kind: str) -> T:
    """The entry of `table` called `name`; otherwise UnknownName with the nearest name and all of them."""
    if name in table:
        return table[name]
    near = difflib.get_close_matches(name, table, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise UnknownName(f"No {kind} named {name!r}.{hint} Known: {', '.join(sorted(table))}.")
