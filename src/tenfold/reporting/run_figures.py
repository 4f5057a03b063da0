"""A finished run as figures: how it learned, what it takes for what, how sure it is."""

from typing import TYPE_CHECKING

import numpy as np

from tenfold.digits import CLASSES
from tenfold.evaluation import Judgement
from tenfold.reporting.drawing import INK, sheet
from tenfold.training import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OTHER = "#b8500f"
COVERED = np.linspace(0.8, 1.0, 41)


def learning_figure(run: Run) -> "Figure":
    """Loss and accuracy of training, and of validation where there was one, over the epochs."""
    figure = sheet(10, 4)
    figure.suptitle(f"{run.name}: how it learned")
    epochs = [result.epoch for result in run.history]
    loss, accuracy = figure.subplots(1, 2)
    loss.plot(epochs, [r.loss for r in run.history], color=INK, label="training")
    accuracy.plot(epochs, [100 * r.accuracy for r in run.history], color=INK, label="training")
    judged = [r for r in run.history if r.validation_loss is not None]
    if judged:
        seen = [r.epoch for r in judged]
        loss.plot(seen, [r.validation_loss for r in judged], "--", color=OTHER, label="validation")
        shares = [100 * (r.validation_accuracy or 0.0) for r in judged]
        accuracy.plot(seen, shares, "--", color=OTHER, label="validation")
    loss.set_ylabel("loss (nats an image)")
    loss.set_ylim(bottom=0)
    accuracy.set_ylabel("accuracy (%)")
    for axes in (loss, accuracy):
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    return figure


def confusion_figure(judged: Judgement, *, title: str) -> "Figure":
    """How many images of each digit were told as each; the right ones are left out of the colours."""
    table = judged.confusion
    wrong = table - np.diag(np.diag(table))
    figure = sheet(7, 6.5)
    axes = figure.add_subplot()
    axes.imshow(wrong, cmap="Reds", vmin=0, vmax=max(int(wrong.max()), 1))
    for label in range(CLASSES):
        for told in range(CLASSES):
            shown = f"{table[label, told]:,}" if table[label, told] else ""
            dark = wrong[label, told] > 0.6 * wrong.max() > 0
            axes.text(told, label, shown, ha="center", va="center", color="white" if dark else "black", fontsize=9)  # fmt: skip
    axes.set_xticks(range(CLASSES))
    axes.set_yticks(range(CLASSES))
    axes.set_xlabel("told (digit)")
    axes.set_ylabel("label (digit)")
    axes.set_title(f"{title}: {judged.accuracy.successes:,} of {judged.accuracy.total:,} images told right", fontsize=10)  # fmt: skip
    return figure


def confidence_figure(judged: Judgement, *, title: str) -> "Figure":
    """Whether confidences are true, with 95 % intervals; and the errors left among the surest answers."""
    figure = sheet(10, 4.5)
    figure.suptitle(f"{title}: how sure it is")
    reliability, rejecting = figure.subplots(1, 2)
    bins = judged.calibration.reliability
    middle = np.array([100 * b.confidence for b in bins])
    share = np.array([100 * b.right.share for b in bins])
    below, above = 100 * np.array([b.right.interval() for b in bins]).T
    bars = [np.maximum(share - below, 0), np.maximum(above - share, 0)]
    reliability.errorbar(
        middle, share, yerr=bars, fmt="o", markersize=4, color=INK, label="this network"
    )
    ends = [min(middle.min(), below.min()), 100]
    reliability.plot(ends, ends, "--", color=OTHER, label="true confidence")
    reliability.set_xlabel("confidence (%)")
    reliability.set_ylabel("told right (%)")
    reliability.set_title(
        f"calibration error {100 * judged.calibration.error:.2f} points "
        f"(by chance {100 * judged.calibration.chance.mean:.2f})",
        fontsize=9,
    )
    reliability.legend(frameon=False)
    errors = [100 * judged.coverage.keeping(float(kept)).errors.share for kept in COVERED]
    rejecting.plot(100 * COVERED, errors, color=INK)
    rejecting.set_xlabel("answers given, the surest (%)")
    rejecting.set_ylabel("wrong among them (%)")
    rejecting.set_ylim(bottom=0)
    for axes in (reliability, rejecting):
        axes.grid(alpha=0.3)
    return figure
