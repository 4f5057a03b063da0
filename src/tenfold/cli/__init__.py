"""The command line: parses, calls `tenfold.verbs`, prints. `main` is the `tenfold` command.

    app        the table of commands
    options    the arguments that several commands share
    train · repeat · evaluate · compare · audit · insights · predict · read · use · look · doctor    the commands, by what they are for
    sheets     predictions as a table, CSV or JSON, written as they come
    progress   what a training shows while it runs
    console    the two streams
    failures   an exception -> its sentence and exit code

No traceback reaches a person who did not ask for it, and nothing heavy is imported before a command
needs it: `tenfold --help` loads not even NumPy.
"""

import io
import os
import sys
import traceback
from collections.abc import Sequence

from tenfold.cli import console
from tenfold.cli.failures import INTERRUPTED, UNEXPECTED, Interrupted, explain


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command in `arguments`, by default those of this process, and exit with its code."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command -> its exit code; whatever there is to say about it has been said."""
    # A file name may hold bytes that are no text, and a terminal may lack a character.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = _call(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        # Either the disk is full, which has been said, or who read the output, such as `head`, has
        # had enough of it. What is left goes nowhere, instead of into a second complaint of Python's.
        _drop_standard_output()
        return UNEXPECTED
    return code


def _call(arguments: Sequence[str] | None) -> int:
    try:
        from tenfold.cli.app import app

        code: int | None = app(arguments, prog_name="tenfold", standalone_mode=False)
        if code == INTERRUPTED:
            # Typer makes a code of the KeyboardInterrupt.
            raise Interrupted
        return code or 0
    except SystemExit as request:
        # Typer's answer to a closed pipe, and the end of its shell completion.
        return request.code if isinstance(request.code, int) else 0
    except (Exception, KeyboardInterrupt) as error:
        if os.environ.get("TENFOLD_DEBUG"):
            traceback.print_exc()
        sentence, code = explain(error)
        if code == INTERRUPTED:
            console.say(sentence)
        else:
            console.fail(sentence)
        return code


def _drop_standard_output() -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
