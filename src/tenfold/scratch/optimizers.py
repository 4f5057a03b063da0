"""How a gradient becomes a step. An optimizer knows one vector of parameters and one of their gradient.

Nothing here knows of layers or names: a network keeps all its parameters in one vector. Every
operation writes into an array that is already there, so a step allocates nothing.
The equations are those of the values in `tenfold.recipe`, which are Keras's.
"""

import math
from abc import ABC, abstractmethod

import numpy as np

from tenfold import recipe
from tenfold.scratch.layers import Array


class Optimizer(ABC):
    """Moves parameters w against their gradient g.

    Attributes:
        steps: int64 (), the steps taken so far.
        slots: what is remembered from step to step, vectors like the parameters, by name.
    """

    slot_names: tuple[str, ...] = ()

    def __init__(self, like: Array) -> None:
        """A fresh start for parameters of `like`'s length and dtype."""
        self.steps = np.zeros((), np.int64)
        self.slots: dict[str, Array] = {name: np.zeros_like(like) for name in self.slot_names}
        self._step = np.empty_like(like)

    def update(self, w: Array, g: Array, *, rate: float) -> None:
        """Take one step, in place: w changes, g does not."""
        self.steps += 1
        self._move(w, g, rate)

    @abstractmethod
    def _move(self, w: Array, g: Array, rate: float) -> None: ...


class SGD(Optimizer):
    """w -= rate g"""

    def _move(self, w: Array, g: Array, rate: float) -> None:
        w -= np.multiply(g, rate, out=self._step)


class Momentum(Optimizer):
    """v = momentum v - rate g;  w += v"""

    slot_names = ("momentum",)

    def __init__(self, settings: recipe.SGD, like: Array) -> None:
        super().__init__(like)
        self.momentum = settings.momentum

    def _move(self, w: Array, g: Array, rate: float) -> None:
        v = self.slots["momentum"]
        v *= self.momentum
        v -= np.multiply(g, rate, out=self._step)
        w += v


class Nesterov(Momentum):
    """v = momentum v - rate g;  w += momentum v - rate g: the gradient as if v had moved w already"""

    def _move(self, w: Array, g: Array, rate: float) -> None:
        v = self.slots["momentum"]
        v *= self.momentum
        v -= np.multiply(g, rate, out=self._step)
        w -= self._step
        w += np.multiply(v, self.momentum, out=self._step)


class Adam(Optimizer):
    """m and v follow the means of g and of g squared; m / sqrt(v) is a step of about 1 for each weight.

    Both start at 0, too small by factors 1 - beta^t after t steps, which the rate makes good.
    """

    slot_names = ("first_moment", "second_moment")

    def __init__(self, settings: recipe.Adam, like: Array) -> None:
        super().__init__(like)
        self.settings = settings

    def _move(self, w: Array, g: Array, rate: float) -> None:
        """m += (1 - beta1)(g - m),  v += (1 - beta2)(g^2 - v),  w -= alpha m / (sqrt(v) + epsilon)"""
        beta_1, beta_2 = self.settings.beta_1, self.settings.beta_2
        m, v, step = self.slots["first_moment"], self.slots["second_moment"], self._step
        m *= beta_1
        m += np.multiply(g, 1 - beta_1, out=step)
        v *= beta_2
        np.multiply(g, g, out=step)
        step *= 1 - beta_2
        v += step
        np.sqrt(v, out=step)
        step += self.settings.epsilon
        np.divide(m, step, out=step)
        t = int(self.steps)
        step *= rate * math.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        w -= step


class AdamW(Adam):
    """Adam that first shrinks w itself: w -= rate weight_decay w"""

    def __init__(self, settings: recipe.AdamW, like: Array) -> None:
        super().__init__(settings, like)
        self.weight_decay = settings.weight_decay

    def _move(self, w: Array, g: Array, rate: float) -> None:
        w *= 1 - rate * self.weight_decay
        super()._move(w, g, rate)


def optimizer_for(settings: recipe.Optimizer, like: Array) -> Optimizer:
    """The optimizer a recipe names, for parameters of `like`'s length and dtype."""
    match settings:
        case recipe.AdamW():
            return AdamW(settings, like)
        case recipe.Adam():
            return Adam(settings, like)
        case recipe.SGD(nesterov=True):
            return Nesterov(settings, like)
        case recipe.SGD(momentum=0):
            return SGD(like)
        case recipe.SGD():
            return Momentum(settings, like)
