"""The epoch loop: train an epoch, look at the validation part, decide whether to go on.

The only loop there is; it does not know which engine it drives, and it touches no files. All that it
knows between two epochs is a `Progress`, so going on from a saved one is going on as if nothing happened.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from tenfold.digits import Digits, Images, Probabilities
from tenfold.engine import Engine, State
from tenfold.errors import TrainingError
from tenfold.evaluation import judge
from tenfold.recipe import Recipe
from tenfold.scratch.losses import softmax


@dataclass(frozen=True)
class EngineClassifier:
    """The network an engine holds, as a Classifier."""

    engine: Engine

    def predict_proba(self, images: Images) -> Probabilities:
        return softmax(self.engine.logits(images)).astype(np.float32, copy=False)


class EpochResult(NamedTuple):
    """One epoch in figures; a line of history.jsonl.

    `epoch` counts from 1. `seconds` are those of the training steps alone. `loss` (nats) and `accuracy`
    (0..1) are means over the epoch's steps while the network was changing, dropout on; the validation
    figures are those of the network at the epoch's end, None where there is no validation part.
    """

    epoch: int
    seconds: float
    loss: float
    accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None


@dataclass(frozen=True)
class Progress:
    """How far a training is: the epochs done, and the engine's state after the last of them.

    `best` is the state after the epoch with the lowest validation loss, kept for early stopping only.
    """

    history: tuple[EpochResult, ...] = ()
    state: State = field(default_factory=dict)
    best: State | None = None

    @property
    def chosen(self) -> State:
        """The state whose weights are the result: the best where one is kept, else the last."""
        return self.state if self.best is None else self.best


def train_epochs(
    engine: Engine, recipe: Recipe, validation: Digits | None, progress: Progress
) -> Iterator[Progress]:
    """Train from `progress` to the recipe's end, one Progress after each epoch.

    Raises:
        TrainingError: a loss is NaN or infinite.
    """
    while len(progress.history) < recipe.epochs and not _should_stop(recipe, progress):
        result = _train_one(engine, len(progress.history), validation)
        state = engine.state()
        best = progress.best
        if recipe.early_stopping and result.epoch == _best_epoch((*progress.history, result)):
            best = state
        progress = Progress((*progress.history, result), state, best)
        yield progress


def _train_one(engine: Engine, epoch: int, validation: Digits | None) -> EpochResult:
    started = time.perf_counter()
    # A training that diverges overflows long before anybody can look; the losses below tell.
    with np.errstate(over="ignore", invalid="ignore"):
        trained = engine.train_epoch(epoch)
    seconds = time.perf_counter() - started
    if not np.isfinite(trained.losses).all():
        step = int(np.flatnonzero(~np.isfinite(trained.losses))[0])
        raise TrainingError(
            f"epoch {epoch + 1}, step {step + 1}: the loss is {trained.losses[step]}, no longer a finite "
            "number. The learning rate is most often too high: try a tenth of it."
        )
    judged = None if validation is None else judge(EngineClassifier(engine), validation)
    return EpochResult(
        epoch=epoch + 1,
        seconds=seconds,
        loss=float(trained.losses.mean(dtype=np.float64)),
        accuracy=trained.correct / trained.images,
        validation_loss=judged.log_loss if judged else None,
        validation_accuracy=judged.accuracy.share if judged else None,
    )


def _should_stop(recipe: Recipe, progress: Progress) -> bool:
    if recipe.early_stopping is None or not progress.history:
        return False
    waited = len(progress.history) - _best_epoch(progress.history)
    return waited >= recipe.early_stopping.patience


def _best_epoch(history: tuple[EpochResult, ...]) -> int:
    """The epoch with the lowest validation loss, the first of equal ones."""
    losses = [r.validation_loss for r in history if r.validation_loss is not None]
    return 1 + losses.index(min(losses))
