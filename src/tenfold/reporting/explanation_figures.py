"""Explanations as figures: one of each picture, the filters of a first layer, the map of a test part."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import CLASSES
from tenfold.evaluation import DigitMap, Explanation, Filters
from tenfold.reporting.drawing import INK, TEN_COLOURS, blank, sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_FILTERS = 64
FILTERS_IN_A_ROW = 8
MOST_NEIGHBOURS = 8


def explanation_figure(found: Explanation) -> "Figure":
    """The picture, ten probabilities, what costs and what moves the answer, and the nearest training pictures."""
    figure = sheet(13, 5.6 if found.neighbours else 3.8)
    label = "" if found.label is None else f", labelled {found.label}"
    figure.suptitle(f"Told: {found.told} ({found.probabilities[found.told]:.1%}){label}")
    top, *below = figure.subfigures(2 if found.neighbours else 1, 1, squeeze=False, height_ratios=(
        (2.2, 1) if found.neighbours else (1,)
    ))[:, 0]  # fmt: skip
    picture, bars, *maps = top.subplots(1, 3 if found.slopes is None else 5)
    blank(picture, "what the model saw").imshow(found.picture, cmap="gray", vmin=0, vmax=255)
    bars.barh(range(CLASSES), 100 * found.probabilities, color=INK)
    bars.set_yticks(range(CLASSES))
    bars.invert_yaxis()
    bars.set_xlim(0, 100)
    bars.set_xticks((0, 50, 100))
    bars.set_xlabel("probability (%)")
    bars.set_ylabel("digit")
    bars.set_box_aspect(1)
    told = found.told
    _heat(maps[0], found, 100 * found.occluded, "occlusion",
          f"fall of the {told} where a\n5x5 patch is blanked (points of %)")  # fmt: skip
    if found.slopes is not None and found.smooth is not None:
        slope = (
            f"log-probability of the {told} for each\nof 255 steps of ink (thousandths of a nat)"
        )
        _heat(maps[1], found, 1000 * found.slopes, "input gradient", slope)
        _heat(maps[2], found, 1000 * found.smooth, "SmoothGrad", slope)
    for part in below:
        part.suptitle(
            "nearest training pictures: label, and distance in the last hidden layer", fontsize=9
        )
        shown = found.neighbours[:MOST_NEIGHBOURS]
        for axes, near in zip(part.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
            blank(axes, f"{near.label}, at {near.distance:.1f}")
            axes.imshow(near.picture, cmap="gray", vmin=0, vmax=255)
    return figure


def filters_figure(filters: Filters, *, title: str) -> "Figure":
    """The weights that each filter of a first layer lays on the pixels, on one scale; at most 64 of them."""
    pictures = filters.pictures[:MOST_FILTERS]
    rows = math.ceil(len(pictures) / FILTERS_IN_A_ROW)
    figure = sheet(9, 1.1 * rows + 1)
    shown = "" if len(pictures) == len(filters.pictures) else f", the first {len(pictures)}"
    height, width = pictures.shape[1:]
    figure.suptitle(
        f"{title}: {len(filters.pictures)} filters of {filters.layer}, {height}x{width}{shown}"
    )
    cells = figure.subplots(rows, FILTERS_IN_A_ROW, squeeze=False)
    most = float(np.abs(pictures).max()) or 1.0
    for number, axes in enumerate(cells.ravel()):
        if number >= len(pictures):
            axes.axis("off")
            continue
        drawn = blank(axes).imshow(pictures[number], cmap="RdBu_r", vmin=-most, vmax=most)
    figure.colorbar(drawn, ax=cells, label="weight (a pixel counts 0 to 1)", shrink=0.8)
    return figure


def map_figure(found: DigitMap, *, title: str) -> "Figure":
    """Every picture as a dot in the colour of its label; what was told wrongly as a cross in it."""
    figure = sheet(9, 8)
    axes = figure.add_subplot()
    wrong = found.labels != found.predicted_labels
    for digit, colour in enumerate(TEN_COLOURS):
        own = found.places[(found.labels == digit) & ~wrong]
        axes.scatter(own[:, 0], own[:, 1], s=8, color=colour, label=str(digit), linewidths=0)
    axes.scatter(
        found.places[wrong, 0], found.places[wrong, 1], s=90, marker="X", linewidths=0.8, edgecolors="black",
        color=[TEN_COLOURS[digit] for digit in found.labels[wrong]], label="told wrongly",
    )  # fmt: skip
    for (x, y), told in zip(found.places[wrong], found.predicted_labels[wrong], strict=True):
        axes.annotate(f"told {told}", (x, y), (7, 0), textcoords="offset points", fontsize=8)
    axes.set_title(
        f"{title}: {len(found.labels):,} pictures, {int(wrong.sum())} told wrongly\n{found.method}",
        fontsize=10,
    )
    axes.set_xlabel("first direction of the map (no unit)")
    axes.set_ylabel("second direction of the map (no unit)")
    axes.legend(
        title="label", markerscale=1.5, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5)
    )
    return figure


def _heat(
    axes: "Axes", found: Explanation, values: NDArray[np.float32], title: str, unit: str
) -> None:
    """Values on one scale about 0, red above it and blue below, with the digit's outline over them."""
    most = float(np.abs(values).max()) or 1.0
    drawn = blank(axes, title).imshow(values, cmap="RdBu_r", vmin=-most, vmax=most)
    if found.picture.min() < 128 <= found.picture.max():
        axes.contour(found.picture, levels=[127.5], colors="black", linewidths=0.7)
    bar: Any = axes.figure.colorbar(drawn, ax=axes, location="bottom", shrink=0.9)
    bar.set_label(unit, fontsize=8)
    bar.ax.tick_params(labelsize=7)
    bar.ax.locator_params(nbins=5)
