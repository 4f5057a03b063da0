"""How a gradient becomes a step. An optimizer knows one vector of parameters and one of their gradient.

Nothing here knows of layers or names: a network keeps all its parameters in one vector. Every
operation writes into an array that is already there, so a step allocates nothing; y += a x is BLAS's
axpy, which reads and writes once where NumPy would go through a product in between.
The equations are those of the values in `tenfold.recipe`, which are Keras's.
"""

import math
from abc import ABC, abstractmethod

import numpy as np
from scipy.linalg import get_blas_funcs

from tenfold import recipe
from tenfold.scratch.layers import Array

# What is remembered of a gradient that has become 0, as that of a pixel without ink, fades by a constant factor a
# step and ends among the subnormal numbers, with which Intel's processors compute far slower:
# an epoch of the seed network took 1.8 times as long. So what has come this close to them, below 1e-30 in float32,
# is 0 from then on: far less than the last bit of any weight that moves by it. Every 32 steps are often
# enough for factors down to 0.57, as 0.57^32 is 2^-26.
TIMES_THE_SMALLEST = 2.0**26
FORGETS_EVERY = 32


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
        self._faint = TIMES_THE_SMALLEST * np.finfo(like.dtype).tiny
        # axpy(x, y, a=a): y += a x; scal(a, y): y *= a.
        self._axpy, self._scal = get_blas_funcs(("axpy", "scal"), dtype=like.dtype)

    def update(self, w: Array, g: Array, *, rate: float) -> None:
        """Take one step, in place: w changes, g does not."""
        self.steps += 1
        self._move(w, g, rate)
        if self.steps % FORGETS_EVERY == 0:
            self._forget()

    def _forget(self) -> None:
        """Set to 0 what has faded; what others are divided by, only where these are 0 already."""
        settled = np.True_
        for slot in self.slots.values():
            slot[(np.abs(slot, out=self._step) < self._faint) & settled] = 0
            settled = slot == 0

    @abstractmethod
    def _move(self, w: Array, g: Array, rate: float) -> None: ...


class SGD(Optimizer):
    """w -= rate g"""

    def _move(self, w: Array, g: Array, rate: float) -> None:
        self._axpy(g, w, a=-rate)


class Momentum(Optimizer):
    """v = momentum v - rate g;  w += v"""

    slot_names = ("momentum",)

    def __init__(self, settings: recipe.SGD, like: Array) -> None:
        super().__init__(like)
        self.momentum = settings.momentum

    def _move(self, w: Array, g: Array, rate: float) -> None:
        v = self.slots["momentum"]
        self._scal(self.momentum, v)
        self._axpy(g, v, a=-rate)
        w += v


class Nesterov(Momentum):
    """v = momentum v - rate g;  w += momentum v - rate g: the gradient as if v had moved w already"""

    def _move(self, w: Array, g: Array, rate: float) -> None:
        v = self.slots["momentum"]
        self._scal(self.momentum, v)
        self._axpy(g, v, a=-rate)
        self._axpy(g, w, a=-rate)
        self._axpy(v, w, a=self.momentum)


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
        self._scal(beta_1, m)
        self._axpy(g, m, a=1 - beta_1)
        self._scal(beta_2, v)
        self._axpy(np.multiply(g, g, out=step), v, a=1 - beta_2)
        np.sqrt(v, out=step)
        step += self.settings.epsilon
        np.divide(m, step, out=step)
        t = int(self.steps)
        self._axpy(step, w, a=-rate * math.sqrt(1 - beta_2**t) / (1 - beta_1**t))


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
