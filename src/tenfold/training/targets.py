"""What a student learns from a teacher: its labels, mixed with what the teacher says of each image."""

import numpy as np

from tenfold.digits import Classifier, Digits
from tenfold.engine import Targets, targets_for
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
