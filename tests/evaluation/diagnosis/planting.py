"""The table of planted faults: filled by plantings_in_arrays and plantings_in_models, read by the tests."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from scripts import Arrays

Given = dict[str, Any]


class Planting(NamedTuple):
    """`plant` makes the arguments of diagnose from clean arrays and a generator."""

    cause: str
    name: str
    plant: Callable[[Arrays, np.random.Generator], Given]


PLANTINGS: list[Planting] = []


def planting(cause: str, *strengths: Any) -> Callable[[Any], Any]:
    def register(plant: Any) -> Any:
        for strength in strengths:
            PLANTINGS.append(
                Planting(
                    cause, f"{plant.__name__}-{strength}", lambda a, r, s=strength: plant(a, r, s)
                )
            )
        return plant

    return register


def first_of_each(n: int = 1) -> Iterator[Planting]:
    """The first n plantings of each cause."""
    seen: dict[str, int] = {}
    for one in PLANTINGS:
        seen[one.cause] = seen.get(one.cause, 0) + 1
        if seen[one.cause] <= n:
            yield one
