"""What a network learns from beside the labels: what a teacher says of each image, and drawings."""

import numpy as np

from tenfold.digits import CLASSES, Classifier, Digits
from tenfold.engine import Targets, targets_for
from tenfold.pictures.non_digits import draw_non_digits
from tenfold.pictures.written import write_digits
from tenfold.randomness import stream
from tenfold.recipe import Recipe
from tenfold.scratch.losses import softmax


def taught_targets(recipe: Recipe, training: Digits, teacher: Classifier) -> Targets:
    """The recipe's targets with `share` of each from the teacher, softened: float32 (n, 10).

    p^(1/T), scaled to sum to 1, is the softmax of log p / T.
    """
    targets = targets_for(recipe, training.known_labels)
    distillation = recipe.distillation
    if distillation is None:
        return targets
    probabilities = teacher.predict_proba(training.images)
    smallest = np.finfo(np.float32).tiny
    softened = softmax(np.log(np.maximum(probabilities, smallest)) / distillation.temperature)
    mixed = targets + distillation.share * (softened - targets)
    return np.asarray(mixed, np.float32)


def with_drawings(
    recipe: Recipe, training: Digits, targets: Targets | None, *, seed: int
) -> tuple[Digits, Targets | None]:
    """The training images and targets, and behind them the drawn digits and non-digits that the recipe asks for.

    The labels of non-digits mean nothing: `engine.counted_labels` tells them by their targets, 1/10 for each digit.
    """
    images, labels = [training.images], [training.known_labels]
    wanted = [targets_for(recipe, training.known_labels) if targets is None else targets]
    if recipe.written_digits:
        count = _share(recipe.written_digits, training)
        drawn = write_digits(count, stream(seed, "written digits"))
        images.append(drawn.images)
        labels.append(drawn.known_labels)
        wanted.append(targets_for(recipe, drawn.known_labels))
    if recipe.non_digits:
        count = _share(recipe.non_digits.share, training)
        images.append(draw_non_digits(count, training, stream(seed, "non-digits")))
        labels.append(np.zeros(count, np.uint8))
        wanted.append(np.full((count, CLASSES), 1 / CLASSES, np.float32))
    if len(images) == 1:
        return training, targets
    shown = Digits(np.concatenate(images), np.concatenate(labels), training.source)
    return shown, np.concatenate(wanted)


def _share(share: float, training: Digits) -> int:
    return max(round(share * len(training)), 1)
