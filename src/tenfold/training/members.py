"""Several networks trained side by side, seen as one engine: an epoch is an epoch of each of them.

The loop, checkpoints and resuming need not know that there are several. Each member has a seed of its own,
so each begins elsewhere and meets the images in an order of its own; what they say together is the mean
of their probabilities (Hansen & Salamon 1990).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tenfold.digits import Images
from tenfold.engine import Engine, Epoch, State
from tenfold.errors import ModelError
from tenfold.randomness import stream
from tenfold.scratch.losses import softmax


class Members(Engine):
    """Engines of one recipe as one; its state holds those of all under "1/weights/...", "2/weights/..." and so on."""

    def __init__(self, engines: Sequence[Engine]) -> None:
        self._engines = tuple(engines)

    @property
    def backend(self) -> str:
        return self._engines[0].backend

    @property
    def precision(self) -> str:
        return self._engines[0].precision

    def train_epoch(self, epoch: int) -> Epoch:
        """An epoch of each; `losses` has the steps of the first, then those of the second, and so on."""
        trained = [engine.train_epoch(epoch) for engine in self._engines]
        losses = np.concatenate([one.losses for one in trained])
        return Epoch(
            losses, sum(one.correct for one in trained), sum(one.images for one in trained)
        )

    def settle(self) -> None:
        for engine in self._engines:
            engine.settle()

    def logits(self, images: Images) -> NDArray[np.float32]:
        """Logarithms of the mean probabilities: the softmax of these is that mean."""
        told = [softmax(engine.logits(images)) for engine in self._engines]
        mean = np.mean(told, axis=0, dtype=np.float32)
        return np.log(np.maximum(mean, np.finfo(np.float32).tiny))

    def state(self) -> State:
        return {
            f"{number}/{name}": array
            for number, engine in enumerate(self._engines, start=1)
            for name, array in engine.state().items()
        }

    def restore(self, state: State) -> None:
        for engine, own in zip(self._engines, states_of(state, len(self._engines)), strict=True):
            engine.restore(own)


def member_seeds(seed: int, members: int) -> list[int]:
    """The seed of each member; the first one's is the training's own."""
    drawn = stream(seed, "members").integers(2**31, size=members - 1)
    return [seed, *map(int, drawn)]


def states_of(state: State, members: int) -> list[State]:
    """The state of each member in the state of them all; that of a single one is its own. ModelError for another's."""
    if members == 1:
        return [state]
    states: list[State] = [{} for _ in range(members)]
    for name, array in state.items():
        number, _, own_name = name.partition("/")
        if not (number.isdecimal() and 1 <= int(number) <= members):
            raise ModelError(
                f"state: expected the arrays of {members} members, received {name} among them. Restore it with "
                "its own recipe."
            )
        states[int(number) - 1][own_name] = array
    return states
