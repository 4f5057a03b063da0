"""A Robustness as a figure of dots and curves; and what the corruptions look like."""

from typing import TYPE_CHECKING

import numpy as np

from tenfold.digits import Images
from tenfold.evaluation import CORRUPTIONS, Robustness
from tenfold.randomness import stream
from tenfold.reporting.drawing import INK, blank, sheet
from tenfold.statistics import Proportion

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tenfold.evaluation import Curve

PER_CENT = "told right (%)"
EPS = "eps (share of a pixel's range)"


def robustness_figure(found: Robustness, *, title: str) -> "Figure":
    """A dot for each corruption, a curve for each placing, the attacks in one; all with 95 % intervals."""
    figure = sheet(13, 7)
    figure.suptitle(
        f"{title}: {found.clean.share:.2%} of {found.clean.total:,} pictures told right as they are; "
        "bars and bands are 95 % intervals"
    )
    grid = figure.add_gridspec(2, 3, width_ratios=(1.5, 1, 1))
    _dots(figure.add_subplot(grid[:, 0]), found)
    for place, curve in zip(((0, 1), (0, 2), (1, 1)), found.placings, strict=True):
        axes = figure.add_subplot(grid[place])
        axes.set_title(f"{curve.name.capitalize()}")
        axes.set_xlabel(f"{curve.name} ({curve.unit})")
        _line(axes, curve, INK)
    axes = figure.add_subplot(grid[1, 2])
    axes.set_title("Attacks")
    axes.set_xlabel(EPS)
    for curve, colour in zip(found.attacks, (INK, "#bd1f01"), strict=False):
        _line(axes, curve, colour)
    if found.attacks:
        axes.legend(frameon=False)
    else:
        axes.text(0.5, 0.5, "not attacked", ha="center", transform=axes.transAxes)
    return figure


def corruption_figure(images: Images, *, seed: int) -> "Figure":
    """The first pictures uint8 (n, 28, 28), at most 8, as they are and under every corruption."""
    images = images[:8]
    rows = {"as they are": images} | {
        name: corrupt(images, stream(seed, "corruption", name), 1.0)
        for name, corrupt in CORRUPTIONS.items()
    }
    figure = sheet(8, 7)
    figure.suptitle("The fifteen corruptions of MNIST-C (Mu & Gilmer 2019), as tenfold makes them")
    for number, (name, row) in enumerate(rows.items()):
        axes = blank(figure.add_subplot(8, 2, number + 1), name)
        axes.imshow(np.hstack(list(row)), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    return figure


def _dots(axes: "Axes", found: Robustness) -> None:
    names = ["as they are", *(name for name, _ in found.corruptions)]
    told = [found.clean, *(share for _, share in found.corruptions)]
    middle, below, above = _shares(told)
    places = np.arange(len(names))[::-1]
    axes.errorbar(middle, places, xerr=[middle - below, above - middle], fmt="o", color=INK)
    axes.set_yticks(places, names)
    axes.set_xlim(-2, 102)
    axes.grid(axis="x", alpha=0.3)
    axes.set_xlabel(PER_CENT)
    axes.set_title(f"Corruptions: mean error {found.corruption_error.mean:.1%}")


def _line(axes: "Axes", curve: "Curve", colour: str) -> None:
    middle, below, above = _shares(curve.told)
    axes.plot(curve.strengths, middle, marker="o", markersize=4, color=colour, label=curve.name)
    axes.fill_between(curve.strengths, below, above, color=colour, alpha=0.2)
    axes.set_ylim(-2, 102)
    axes.set_ylabel(PER_CENT)
    axes.grid(alpha=0.3)


def _shares(
    told: list[Proportion] | tuple[Proportion, ...],
) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """Shares -> (3, k): each, and both ends of its interval, in per cent."""
    return 100 * np.array([(p.share, *p.interval()) for p in told]).T
