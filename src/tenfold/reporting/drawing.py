"""A sheet to draw on with matplotlib, and the sheet as the bytes of a PNG or SVG.

Uses figures by themselves and no pyplot: nothing asks for a screen, and nothing is kept between two figures.
Knows nothing about what is drawn.
"""

import io
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Form = Literal["png", "svg"]

DOTS_PER_INCH = 130
INK = "#1f4e79"
# Colour-blind readers tell these ten apart better than matplotlib's own (after Petroff 2021).
TEN_COLOURS = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip


def sheet(width: float, height: float) -> "Figure":
    """An empty figure of so many inches, whose parts make room for each other."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def rendered(figure: "Figure", form: Form) -> bytes:
    """The figure as a file. The same figure gives the same bytes (of one version of matplotlib)."""
    import matplotlib as mpl

    file = io.BytesIO()
    date: dict[str, Any] = {"Date": None} if form == "svg" else {}
    with mpl.rc_context({"svg.hashsalt": "tenfold"}):
        figure.savefig(file, format=form, dpi=DOTS_PER_INCH, metadata=date)
    return file.getvalue()


def blank(axes: "Axes", title: str = "") -> "Axes":
    """Axes for a picture: no ticks, a small title."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title, fontsize=9)
    return axes
