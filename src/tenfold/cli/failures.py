"""An exception -> the sentence a person reads and the exit code a script reads."""

import errno

import typer

from tenfold.errors import TenfoldError

INTERRUPTED = 130
UNEXPECTED = 1

_ADVICE = {
    errno.ENOSPC: "Make room on this disk, or write to another one.",
    errno.EDQUOT: "Your quota on this disk is used up: make room, or write to another one.",
    errno.EACCES: "Change its permissions, or name another place.",
    errno.EPERM: "Change its permissions, or name another place.",
    errno.EROFS: "This disk can only be read: name another place.",
    errno.ENOENT: "Check the path.",
    errno.EISDIR: "Name a file.",
    errno.ENOTDIR: "A part of this path is a file where a folder is needed: name another place.",
    errno.EEXIST: "A file stands where a folder is needed: name another place.",
    errno.ENAMETOOLONG: "Name a shorter path.",
    errno.EMFILE: "Close other programs, or raise the limit with: ulimit -n 4096",
}


class Interrupted(Exception):
    """Ctrl-C, with the sentence that says how to go on."""


def explain(error: BaseException) -> tuple[str, int]:
    """Any exception -> (its sentence, the exit code)."""
    if isinstance(error, (KeyboardInterrupt, Interrupted)):
        return str(error) or "Interrupted.", INTERRUPTED
    if isinstance(error, TenfoldError):
        return str(error), error.exit_code
    if isinstance(error, typer.TyperException):
        return _of_the_parser(error), error.exit_code
    if isinstance(error, OSError) and error.strerror:
        return _of_the_system(error), UNEXPECTED
    if isinstance(error, MemoryError):
        return (
            "There is not enough memory for this. Close other programs, or use fewer images.",
            UNEXPECTED,
        )
    return (
        f"unexpected {type(error).__name__}: {str(error).rstrip('.')}. This is a fault of tenfold, not yours. "
        "TENFOLD_DEBUG=1 before the command shows where it happened; please report that."
    ), UNEXPECTED


def _of_the_parser(error: typer.TyperException) -> str:
    sentence = " ".join(error.format_message().split())
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "tenfold"
    end = "" if sentence.endswith((".", "?")) else "."
    return f"{sentence}{end} See: {command} --help"


def _of_the_system(error: OSError) -> str:
    places = " -> ".join(str(name) for name in (error.filename, error.filename2) if name)
    advice = _ADVICE.get(error.errno or 0, "")
    return f"{places or 'the system'}: {error.strerror}. {advice}".rstrip()
