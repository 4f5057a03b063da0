"""A layer taken out of its network, so that it can be asked about a handful of numbers."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest

from tenfold import layers as described
from tenfold.network import Step
from tenfold.randomness import stream
from tenfold.scratch.layers import Array, Arrays, Layer
from tenfold.scratch.network import build


class Alone(NamedTuple):
    """A layer at work and its arrays, by names like "alone/kernel"."""

    layer: Layer
    weights: Arrays
    gradients: Arrays


def step_of(layer: described.Layer, shape: described.Shape, name: str) -> Step:
    inside = []
    if isinstance(layer, described.Residual):
        reached = shape
        for number, inner in enumerate(layer.layers):
            inside.append(step_of(inner, reached, f"{name}.{number}"))
            reached = inner.output_shape(reached)
    return Step(name, layer, shape, layer.output_shape(shape), tuple(inside))


def parameters_of(step: Step) -> list[described.Parameter]:
    return [*step.parameters, *(p for inner in step.inside for p in parameters_of(inner))]


@pytest.fixture
def alone() -> Callable[..., Alone]:
    def make(layer: described.Layer, shape: described.Shape, **given: Array) -> Alone:
        """`layer` for inputs of `shape`, float64; arrays that are not given are random."""
        step = step_of(layer, shape, "alone")
        rng = stream(0, "alone")
        weights = {p.name: rng.uniform(0.5, 1.5, p.shape) for p in parameters_of(step)}
        for name, array in given.items():
            weights[f"alone/{name}"][...] = array
        gradients = {p.name: np.zeros(p.shape) for p in parameters_of(step) if p.trainable}
        return Alone(build((step,), weights, gradients)[0], weights, gradients)

    return make
