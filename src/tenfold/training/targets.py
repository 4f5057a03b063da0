"""What a network learns from beside the labels: what a teacher says of each image, and pictures of no digit."""

import numpy as np

from tenfold.digits import CLASSES, Classifier, Digits
from tenfold.engine import Targets, targets_for
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


def with_non_digits(
    recipe: Recipe, training: Digits, targets: Targets | None, *, seed: int
) -> tuple[Digits, Targets | None]:
    """The training images and targets, and behind them the pictures of no digit that the recipe asks for.

    Their labels mean nothing: `engine.counted_labels` tells them by their targets, 1/10 for each digit.
    """
    if recipe.non_digits is None:
        return training, targets
    from tenfold.pictures.non_digits import draw_non_digits

    if targets is None:
        targets = targets_for(recipe, training.known_labels)
    count = max(round(recipe.non_digits.share * len(training)), 1)
    drawn = draw_non_digits(count, training, stream(seed, "non-digits"))
    images = np.concatenate([training.images, drawn])
    labels = np.concatenate([training.known_labels, np.zeros(count, np.uint8)])
    evenly = np.full((count, CLASSES), 1 / CLASSES, np.float32)
    return Digits(images, labels, training.source), np.concatenate([targets, evenly])
