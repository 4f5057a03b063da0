"""A model whose inside can be seen: networks and weights -> probabilities, and their gradients in the pixels.

Computed by the NumPy engine, so it works for a model that any engine trained; of several networks, and
over moved pictures, it is the gradient of the mean probability, which is what such a model answers with.
Attacks and explanations ask this; knows nothing about either, or about files.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from tenfold.classifiers import moved, places
from tenfold.digits import CLASSES, SIDE, Images, Labels, Probabilities, check_images
from tenfold.errors import ModelError
from tenfold.network import Network
from tenfold.scratch.fixed import FixedNetwork
from tenfold.weights import Member

Floats = NDArray[np.float32]

# What a small convolutional network remembers of so many pictures is some tens of MB.
CHUNK_IMAGES = 128


class Filters(NamedTuple):
    """What the first layer of a network looks for.

    Attributes:
        layer: its name in the plan, such as "conv2d_1".
        pictures: float32 (filters, height, width): the weights that it lays on the pixels.
    """

    layer: str
    pictures: Floats


class WhiteBox:
    """One network or several that answer with the mean of their probabilities; a Classifier too.

    Args:
        members: networks with their weights, at least one.
        shifts: pixels 0..4: the answer is the mean over each picture at these `classifiers.places`.

    Raises:
        ModelError: there is no member.
    """

    def __init__(self, members: Sequence[Member], *, shifts: int = 0) -> None:
        if not members:
            raise ModelError(
                "WhiteBox: expected at least one network with its weights, received none."
            )
        self.members = tuple(members)
        # A network for each place, on the same arrays: each remembers its own way back.
        self._ways = [
            [(FixedNetwork(network, weights), place) for place in places(shifts)]
            for network, weights in members
        ]
        self._libraries = ThreadpoolController()

    @property
    def _each_way(self) -> list[tuple[FixedNetwork, tuple[int, int]]]:
        return [way for ways in self._ways for way in ways]

    def predict_proba(self, images: Images) -> Probabilities:
        """images uint8 (n, 28, 28) -> float32 (n, 10), rows sum to 1; DataError for other images."""
        images = check_images(images)
        probabilities = np.zeros((len(images), CLASSES), np.float32)
        with self._one_thread():
            for rows in _chunks(len(images)):
                for network, place in self._each_way:
                    logits = network.logits(moved(images[rows], *place))
                    probabilities[rows] += np.exp(_log_softmax(logits))
        return probabilities / np.float32(len(self._each_way))

    def loss_gradient(self, images: Images | Floats, labels: Labels) -> Floats:
        """How the loss of each picture moves with each of its pixels.

        The loss is -log(probability of the label), in nats; sure answers lose no digits, since it is
        worked out from logits.

        Args:
            images: (n, 28, 28), uint8 or float 0..255.
            labels: uint8 (n,) in 0..9.

        Returns:
            float32 (n, 28, 28): nats for each of the 255 steps of a pixel.
        """
        gradient = np.empty(images.shape, np.float32)
        with self._one_thread():
            for rows in _chunks(len(images)):
                gradient[rows] = self._gradient(images[rows].astype(np.float32), labels[rows])
        return gradient

    def _gradient(self, images: Floats, labels: Labels) -> Floats:
        """-d log(mean of p_k) = sum of w_k (p_k - label),  w_k = p_k / sum of p, at the label; k counts
        networks and places."""
        chosen = np.arange(len(images)), labels
        all_logits = [network.logits(moved(images, *place)) for network, place in self._each_way]
        log_labels = np.stack([_log_softmax(logits)[chosen] for logits in all_logits], axis=1)
        shares = np.exp(_log_softmax(log_labels))
        gradient = np.zeros((len(images), SIDE, SIDE), np.float32)
        for k, (network, (down, right)) in enumerate(self._each_way):
            d_logits = shares[:, k : k + 1] * _less_label(all_logits[k], labels)
            pixels = network.pixel_gradient(d_logits).astype(np.float32)
            # What a move brought to a place came from the place that the move back leads to.
            gradient += moved(pixels, -down, -right)
        return gradient

    def hidden(self, images: Images) -> Floats:
        """images uint8 (n, 28, 28) -> float32 (n, h): what the last layer of each network looks at,
        of the picture as it stands, the networks' side by side."""
        images = check_images(images)
        with self._one_thread():
            parts = [
                np.concatenate([ways[0][0].hidden(images[rows]) for ways in self._ways], axis=1)
                for rows in _chunks(len(images))
            ]
        return np.concatenate(parts).astype(np.float32)

    def _one_thread(self) -> AbstractContextManager[object]:
        """One thread for matrix products, for the engine's reason: products this small, shared among threads,
        take ten times as long on a busy machine."""
        limited: AbstractContextManager[object] = self._libraries.limit(limits=1, user_api="blas")
        return limited

    def filters(self, member: int = 0) -> Filters:
        """The first layer of a member as pictures; ModelError where it does not look at pixels."""
        network, weights = self.members[member]
        step = next((s for s in network.steps() if s.parameters), None)
        if step is None or not step.name.startswith(("dense", "conv2d", "whitening")):
            raise ModelError(
                f"filters: expected a first layer that is Dense, Conv2D or Whitening, received "
                f"{step.name if step else 'none with weights'}. There is no picture of what it looks for."
            )
        kernel = weights[f"{step.name}/kernel"]
        pictures = kernel.reshape(*_window(network, kernel), kernel.shape[-1])
        return Filters(step.name, np.moveaxis(pictures, -1, 0).astype(np.float32))


def _window(network: Network, kernel: Floats) -> tuple[int, int]:
    """Height and width of what a filter of the first layer sees: its window, or for a Dense the picture."""
    if kernel.ndim == 4:
        return kernel.shape[0], kernel.shape[1]
    before = next(s for s in network.steps() if s.name == "flatten_1")
    height, width, _ = before.input_shape
    return height, width


def _chunks(count: int) -> Iterator[slice]:
    return (slice(start, start + CHUNK_IMAGES) for start in range(0, count, CHUNK_IMAGES))


def _log_softmax(logits: NDArray[np.floating]) -> NDArray[np.floating]:
    shifted = logits - logits.max(axis=1, keepdims=True)
    logs: NDArray[np.floating] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return logs


def _less_label(logits: NDArray[np.floating], labels: Labels) -> NDArray[np.floating]:
    """Logits (n, 10) -> p - label. At the label that is minus the sum of the others: a p that rounds to 1
    still leaves a gradient."""
    probabilities: NDArray[np.floating] = np.exp(_log_softmax(logits))
    chosen = np.arange(len(labels)), labels
    probabilities[chosen] = 0
    probabilities[chosen] = -probabilities.sum(axis=1)
    return probabilities
