"""Series over epochs -> the coordinates of a line chart, ready to be written as SVG.

Knows nothing about runs or HTML: the template draws what it is given. Coordinates are those of a
viewBox of WIDTH x HEIGHT, y downwards.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

WIDTH, HEIGHT = 440, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 428, 12, 210

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
    """A line chart over epochs.

    Attributes:
        title: what the values are.
        summary: the chart in a sentence, for who cannot see it.
        lines: one for each series.
        x_ticks: epochs.
        y_ticks: values.
        dots: whether each point is to be marked.
    """

    title: str
    summary: str
    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    dots: bool


def chart(
    title: str,
    epochs: Sequence[int],
    *,
    series: Mapping[str, Sequence[float]],
    text: Callable[[float], str],
    floor: float | None = None,
) -> Chart:
    """Draw each of `series` (one value for each of `epochs`, ascending, at least one) on common axes.

    Args:
        title: what the values are.
        epochs: where on the x axis the values stand.
        series: values by name.
        text: how a value is written.
        floor: where the y axis begins; None is a round number at or below the lowest value.
    """
    values = [value for line in series.values() for value in line]
    y_marks = round_marks(min(values) if floor is None else floor, max(values))
    x_marks = [mark for mark in round_marks(epochs[0], epochs[-1]) if mark == int(mark)]
    x = _scale((epochs[0], epochs[-1]), (LEFT, RIGHT))
    y = _scale((y_marks[0], y_marks[-1]), (BOTTOM, TOP))
    return Chart(
        title=title,
        summary=_summary(title, epochs, series, text),
        lines=tuple(
            Line(name, tuple((x(e), y(v)) for e, v in zip(epochs, line, strict=True)))
            for name, line in series.items()
        ),
        x_ticks=tuple(
            Tick(x(mark), f"{mark:.0f}") for mark in x_marks if epochs[0] <= mark <= epochs[-1]
        ),
        y_ticks=tuple(Tick(y(mark), text(mark)) for mark in y_marks),
        dots=len(epochs) <= MAX_DOTS,
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
    epochs: Sequence[int],
    series: Mapping[str, Sequence[float]],
    text: Callable[[float], str],
) -> str:
    ends = "; ".join(
        f"{name} from {text(line[0])} to {text(line[-1])}" for name, line in series.items()
    )
    return f"{title}, epochs {epochs[0]} to {epochs[-1]}: {ends}."
