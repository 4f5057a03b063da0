"""How many lines of some Python source are code: not blank, not comment, not docstring.

Reads text only; nothing that is counted is imported or run.
"""

import io
import tokenize
from pathlib import Path

_LAYOUT = (
    tokenize.ENCODING, tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT,
    tokenize.DEDENT, tokenize.ENDMARKER,
)  # fmt: skip


def code_lines(source: bytes) -> int:
    """The physical lines of a module on which a statement stands.

    A statement that is nothing but strings does nothing: it is documentation, as a comment is.

    Raises:
        SyntaxError, tokenize.TokenError: `source` is not Python.
    """
    counted: set[int] = set()
    statement: list[tokenize.TokenInfo] = []
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        if token.type not in _LAYOUT:
            statement.append(token)
        elif token.type == tokenize.NEWLINE:
            if any(part.type != tokenize.STRING for part in statement):
                counted.update(line for part in statement for line in _lines(part))
            statement = []
    return len(counted)


def package_lines(folder: Path) -> int:
    """The code lines of all modules in `folder` and below."""
    return sum(code_lines(path.read_bytes()) for path in sorted(folder.rglob("*.py")))


def _lines(token: tokenize.TokenInfo) -> range:
    return range(token.start[0], token.end[0] + 1)
