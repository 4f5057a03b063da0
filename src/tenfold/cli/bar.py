"""A bar that moves once an epoch, and counts down the time left in between.

Imported only where standard error is a terminal: nothing else needs rich.
"""

import time

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text


class Bar:
    """A bar of `epochs` steps on standard error, gone when it is closed."""

    def __init__(self, epochs: int) -> None:
        self._epochs = epochs
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), _TimeLeft())
        # Four pictures a second show that it lives, and take next to nothing from the training.
        self._progress = Progress(
            *columns,
            console=Console(stderr=True),
            transient=True,
            refresh_per_second=4,
            redirect_stdout=False,
        )
        self._task = self._progress.add_task(f"epoch 1/{epochs}", total=epochs, end=None)
        self._last: float | None = None

    def __enter__(self) -> "Bar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def print(self, line: str) -> None:
        """A line above the bar."""
        self._progress.print(line, markup=False, highlight=False)

    def advance_to(self, epoch: int, *, seconds: float) -> None:
        """Epochs 1..`epoch` are done; the last one's steps took `seconds`."""
        now = time.monotonic()
        # From one epoch's end to the next validation and checkpoint count too; before the first
        # one the data were loaded, which no later epoch does.
        pace = seconds if self._last is None else now - self._last
        self._last = now
        self._progress.update(
            self._task,
            completed=epoch,
            description=f"epoch {min(epoch + 1, self._epochs)}/{self._epochs}",
            end=now + pace * (self._epochs - epoch),
        )


class _TimeLeft(ProgressColumn):
    """The time left ("0:42 left"), or how long it has been going on while nobody can tell."""

    def render(self, task: Task) -> Text:
        end = task.fields["end"]
        if end is None:
            return Text(f"{_clock(task.elapsed or 0)} so far", style="progress.elapsed")
        return Text(f"{_clock(max(end - time.monotonic(), 0))} left", style="progress.remaining")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
