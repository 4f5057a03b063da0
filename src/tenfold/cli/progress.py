"""What a training shows while it runs: a line an epoch, and on a terminal a bar with the time left.

It ends on Ctrl-C even where a library loses the interrupt.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from tenfold.cli import console

if TYPE_CHECKING:
    from tenfold.training import EpochResult


@contextmanager
def shown_epochs(epochs: int) -> "Iterator[Callable[[EpochResult], None]]":
    """While it is open, what it yields shows each result of a training of `epochs` epochs.

    Raises:
        KeyboardInterrupt: on Ctrl-C; where that was lost, from the next result on.
    """
    with _shown(epochs) as show, _interrupts() as check_interrupts:

        def on_epoch(result: "EpochResult") -> None:
            show(result)
            check_interrupts()

        yield on_epoch


@contextmanager
def _shown(epochs: int) -> "Iterator[Callable[[EpochResult], None]]":
    if not console.is_terminal():
        yield lambda result: console.say(epoch_line(result, epochs))
        return
    from tenfold.cli.bar import Bar

    with Bar(epochs) as bar:

        def on_epoch(result: "EpochResult") -> None:
            bar.print(epoch_line(result, epochs))
            bar.advance_to(result.epoch, seconds=result.seconds)

        yield on_epoch


@contextmanager
def _interrupts() -> Iterator[Callable[[], None]]:
    """Remembers a Ctrl-C; what it yields raises the KeyboardInterrupt again.

    Python drops an exception that is raised in a callback of its garbage collector, such as JAX's,
    which TensorFlow imports too.
    """
    pressed = False

    def handle(_: int, __: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        raise KeyboardInterrupt

    def check() -> None:
        if pressed:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)


def epoch_line(result: "EpochResult", epochs: int) -> str:
    """An epoch in one line: "epoch  3/20   loss 0.0812   accuracy 97.52%   validation 97.90%   1.31 s"."""
    number = f"{result.epoch:>{len(str(epochs))}}/{epochs}"
    parts = [f"epoch {number}", f"loss {result.loss:.4f}", f"accuracy {result.accuracy:.2%}"]
    if result.validation_accuracy is not None:
        parts.append(f"validation {result.validation_accuracy:.2%}")
    return "   ".join([*parts, f"{result.seconds:.2f} s"])
