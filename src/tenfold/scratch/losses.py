"""Softmax and cross-entropy: how wrong ten logits are, and which way they should move.

Targets are rows that sum to 1: 1 at the label's place, or what else is wanted. Knows nothing about networks.
"""

import numpy as np

from tenfold.scratch.layers import Array


def softmax(logits: Array) -> Array:
    """logits (..., 10) -> probabilities (..., 10), rows sum to 1:  p = exp z / sum of exp z"""
    # p is the same for z and z - max z, and there no exp can overflow.
    p: Array = np.exp(logits - np.maximum.reduce(logits, axis=-1, keepdims=True))
    p /= np.add.reduce(p, axis=-1, keepdims=True)
    return p


def cross_entropy(logits: Array, targets: Array) -> Array:
    """logits and targets (..., 10) -> the loss of each image (...):  - sum of target log p"""
    shifted = logits - np.max(logits, axis=-1, keepdims=True)
    log_sum = np.log(np.sum(np.exp(shifted), axis=-1))
    loss: Array = log_sum - np.sum(shifted * targets, axis=-1)
    return loss


def cross_entropy_gradient(logits: Array, targets: Array) -> Array:
    """Both (n, 10) -> the gradient of the mean loss of n images (n, 10):  (p - target) / n"""
    gradient = softmax(logits)
    gradient -= targets
    gradient /= len(logits)
    return gradient
