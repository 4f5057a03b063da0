"""Series over epochs, or over anything else -> the coordinates of a line chart, ready to be written as SVG.

Knows nothing about runs or HTML: the template draws what it is given. Coordinates are those of a
viewBox of WIDTH x HEIGHT, y downwards.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

WIDTH, HEIGHT = 440, 250
LEFT, RIGHT, TOP, BOTTOM = 64, 424, 12, 204

# A dot for each epoch shows where values were measured; more of them than this run into one another.
MAX_DOTS = 30
# Nothing a training reports is told to more digits; below about 1e-308 powers of ten run out.
SMALLEST_SPAN = 1e-12
INTERVALS = 5


class Tick(NamedTuple):
    """A labelled place on an axis, in viewBox units."""

    at: float
    text: str


class Line(NamedTuple):
    """One series: its name and its points (x, y) in viewBox units."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Chart:
    """A line chart.

    Attributes:
        title: what the values are.
        x_label: what stands below the x axis.
        summary: the chart in a sentence, for who cannot see it.
        lines: one for each series.
        x_ticks: epochs, or whatever `x_label` says.
        y_ticks: values.
        dots: whether each point is to be marked.
    """

    title: str
    x_label: str
    summary: str
    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    dots: bool


def chart(
    title: str,
    places: Sequence[float],
    *,
    series: Mapping[str, Sequence[float]],
    text: Callable[[float], str],
    floor: float | None = None,
    x_label: str = "epoch",
) -> Chart:
    """Draw each of `series` (a value for each of `places`, ascending, or for the first of them) on common axes.

    Args:
        title: what the values are.
        places: where on the x axis the values stand; of epochs only whole ones are marked.
        series: at most two, values by name.
        text: how a value is written.
        floor: where the y axis begins; None is a round number at or below the lowest value.
        x_label: what stands below the x axis.
    """
    values = [value for line in series.values() for value in line]
    y_marks = round_marks(min(values) if floor is None else floor, max(values))
    first, last = places[0], places[-1]
    x_marks = [m for m in round_marks(first, last) if x_label != "epoch" or m == int(m)]
    slack = 1e-9 * (last - first)  # 3 * 0.1 is a little more than 0.3
    x_marks = [mark for mark in x_marks if first <= mark <= last + slack] or [first]
    x = _scale((first, last), (LEFT, RIGHT))
    y = _scale((y_marks[0], y_marks[-1]), (BOTTOM, TOP))
    return Chart(
        title=title,
        x_label=x_label,
        summary=_summary(title, places, series, text, x_label),
        lines=tuple(
            Line(name, tuple((x(e), y(v)) for e, v in zip(places, line, strict=False)))
            for name, line in series.items()
        ),
        x_ticks=tuple(Tick(x(mark), f"{mark:.4g}") for mark in x_marks),
        y_ticks=tuple(Tick(y(mark), text(mark)) for mark in y_marks),
        dots=len(places) <= MAX_DOTS,
    )


def round_marks(low: float, high: float) -> list[float]:
    """Round numbers, evenly spaced by 1, 2 or 5 times a power of ten, from at or below `low` to at or
    above `high`; about INTERVALS spaces, two marks at least."""
    span = max(high - low or abs(high) or 1.0, SMALLEST_SPAN)
    power = 10.0 ** math.floor(math.log10(span / INTERVALS))
    step = next(m * power for m in (1, 2, 5, 10) if m * power * INTERVALS >= span * (1 - 1e-9))
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    return [mark * step for mark in range(first, last + 1)]


def _scale(values: tuple[float, float], places: tuple[float, float]) -> Callable[[float], float]:
    """The straight line that takes values[0] to places[0] and values[1] to places[1]."""
    (low, high), (start, end) = values, places
    if low == high:
        return lambda value: (start + end) / 2
    return lambda value: round(start + (value - low) / (high - low) * (end - start), 1)


def _summary(
    title: str,
    places: Sequence[float],
    series: Mapping[str, Sequence[float]],
    text: Callable[[float], str],
    x_label: str,
) -> str:
    ends = "; ".join(f"{name} {_course(line, text)}" for name, line in series.items())
    named = "epochs" if x_label == "epoch" else x_label
    return f"{title}, {named} {places[0]:.4g} to {places[-1]:.4g}: {ends}."


def _course(line: Sequence[float], text: Callable[[float], str]) -> str:
    """Where a line begins and ends, and its highest and lowest point where they are neither."""
    course = f"from {text(line[0])} to {text(line[-1])}"
    ends = {text(line[0]), text(line[-1])}
    between = [
        f"{name} {text(most)}"
        for name, most in (("at most", max(line)), ("at least", min(line)))
        if text(most) not in ends
    ]
    return ", ".join([course, *between])
