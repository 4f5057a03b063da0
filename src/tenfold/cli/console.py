"""The two streams: results go to standard output, whatever is said to a person to standard error.

Standard output is plain text. On standard error a terminal gets colour, unless NO_COLOR is set or the
terminal is dumb. Control characters in a text are shown, not obeyed: a file may have any name.
"""

import json
import os
import shlex
import sys
from collections.abc import Sequence
from typing import Any, Literal

Colour = Literal["red", "cyan"]

_CODES: dict[Colour, str] = {"red": "\x1b[1;31m", "cyan": "\x1b[36m"}
_RESET = "\x1b[0m"
_SHOWN = {code: f"\\x{code:02x}" for code in [*range(32), *range(127, 160)]}
_SHOWN_IN_LINES = {code: shown for code, shown in _SHOWN.items() if chr(code) not in "\t\n"}


def show(text: str) -> None:
    """A result, to standard output; OSError names it where it is full."""
    show_part(f"{text}\n")


def show_part(text: str) -> None:
    """A part of a result that comes bit by bit, with its line ends; as `show`."""
    try:
        print(text.translate(_SHOWN_IN_LINES), end="", flush=True)
    except OSError as error:
        raise OSError(error.errno, error.strerror, "standard output") from error


def show_json(value: Any) -> None:
    """A result as the one JSON document of a command, to standard output."""
    show(json.dumps(value, indent=2, allow_nan=False))


def say(message: str) -> None:
    """A remark, to standard error."""
    _to_stderr(message.translate(_SHOWN_IN_LINES))


def fail(sentence: str) -> None:
    """Why a command ends without its result, to standard error."""
    _to_stderr(f"{_coloured('error:', 'red')} {sentence.translate(_SHOWN_IN_LINES)}")


def suggest(*commands: Sequence[str]) -> None:
    """The commands that are useful next, each as its words, to standard error."""
    lead = "Next:"
    for words in commands:
        _to_stderr(f"{lead} {_coloured(cell(shlex.join(words)), 'cyan')}")
        lead = " " * len(lead)


def operand(name: str) -> str:
    """The name of a file as a word that no command takes for an option; "-", standard input, stays."""
    return f"./{name}" if name.startswith("-") and name != "-" else name


def cell(text: str) -> str:
    """A text as one cell of a table: no tab and no line end in it."""
    return text.translate(_SHOWN)


def table(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Rows of equally many cells -> lines in columns; the columns numbered in `right` are aligned there."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            text.rjust(width) if number in right else text.ljust(width)
            for number, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def is_terminal() -> bool:
    """Whether standard error is a terminal that can move its cursor."""
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _to_stderr(text: str) -> None:
    # A process that was started without one has None, which `print` takes for standard output.
    if sys.stderr is not None:
        print(text, file=sys.stderr)


def _coloured(text: str, colour: Colour) -> str:
    if not is_terminal() or os.environ.get("NO_COLOR"):
        return text
    return f"{_CODES[colour]}{text}{_RESET}"
