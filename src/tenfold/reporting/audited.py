"""An audit of labels -> a folder: the doubts as CSV and JSON, and a picture of the worst.

Says nothing about how the audit was made but what it is told to write down.
"""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tenfold.digits import SIDE, Digits
from tenfold.evaluation import Audit, Issue
from tenfold.files import write_bytes, write_json

FORMAT = 1
TABLE, DOCUMENT, GALLERY = "issues.csv", "issues.json", "gallery.png"

_COLUMNS = 8
# Heights in pixels of a digit, each of which is drawn _SCALE dots wide: the title, the words above a
# picture, and both together with it.
_HEAD, _WORDS = 10, 13
_CELL = _WORDS + SIDE
_SCALE, _DPI = 4, 100
MOST_SHOWN = 64
"""So many fit on a page and can be looked through at a sitting."""


def write_audit(
    audit: Audit, digits: Digits, folder: Path, *, about: Mapping[str, Any] | None = None
) -> None:
    """Write issues.csv, issues.json and gallery.png into `folder`, which is made where it is missing.

    Args:
        audit: of `digits`.
        digits: the images that the gallery shows.
        folder: where to.
        about: plain JSON values that the document begins with, such as who was asked.
    """
    write_bytes(folder / TABLE, as_csv(audit.issues).encode())
    write_json(folder / DOCUMENT, {"format": FORMAT} | dict(about or {}) | as_json(audit, digits))
    write_bytes(folder / GALLERY, gallery(audit.issues[:MOST_SHOWN], digits))


def as_csv(issues: Sequence[Issue]) -> str:
    """A line for each issue, in the order given, below a head."""
    head = "rank,row,label,other,probability_of_label,probability_of_other,confident\n"
    lines = (
        f"{rank},{issue.row},{issue.label},{issue.other},{issue.of_label:.6f},{issue.of_other:.6f},"
        f"{int(issue.confident)}\n"
        for rank, issue in enumerate(issues, start=1)
    )
    return head + "".join(lines)


def as_json(audit: Audit, digits: Digits) -> dict[str, Any]:
    """Plain JSON values: the digits, the counts, the tables behind them and every issue."""
    return {
        "data": {"source": digits.source, "hash": digits.hash, "images": len(digits)},
        "temperature": audit.temperature,
        "thresholds": [value if value <= 1 else None for value in audit.thresholds.tolist()],
        "joint": audit.joint.tolist(),
        "estimated_faults": audit.estimated_faults,
        "confident": sum(issue.confident for issue in audit.issues),
        "issues": [issue._asdict() for issue in audit.issues],
    }


def gallery(issues: Sequence[Issue], digits: Digits) -> bytes:
    """The images of the issues with label, other digit and its probability, eight in a row, as the bytes of a PNG."""
    # Figure and not pyplot, which would look for a screen and keep every figure.
    from matplotlib.figure import Figure

    rows = max(1, -(-len(issues) // _COLUMNS))
    height = rows * _CELL + _HEAD
    figure = Figure(figsize=(_COLUMNS * SIDE * _SCALE / _DPI, height * _SCALE / _DPI), dpi=_DPI)
    # One pair of axes for all pictures: one for each would take seconds to lay out.
    page = figure.add_axes((0, 0, 1, 1))
    page.set_axis_off()
    paper = np.zeros((height, _COLUMNS * SIDE), np.uint8)
    page.text(_COLUMNS * SIDE / 2, _HEAD / 2, _title(issues), ha="center", va="center", fontsize=11)
    for number, issue in enumerate(issues):
        top, left = _HEAD + number // _COLUMNS * _CELL, number % _COLUMNS * SIDE
        paper[top + _WORDS : top + _CELL, left : left + SIDE] = digits.images[issue.row]
        words = (
            f"row {issue.row}\nlabel {issue.label} ({issue.of_label:.1%})\n"
            f"{issue.other}? {issue.of_other:.1%}"
        )
        colour = "tab:red" if issue.confident else "black"
        middle = left + SIDE / 2
        page.text(middle, top + 1, words, ha="center", va="top", fontsize=8, color=colour)
    page.imshow(paper, cmap="gray_r", vmin=0, vmax=255, aspect="auto")
    file = io.BytesIO()
    # Without the name of the program equal input gives equal bytes for longer.
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _title(issues: Sequence[Issue]) -> str:
    if not issues:
        return "No label is in doubt."
    return f"The {len(issues)} labels most in doubt (red: another digit is confidently told)"
