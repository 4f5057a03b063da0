"""What people ran before they ran networks, and the network of a library that is not for networks.

usage: python with_classics.py classic NAME NPZ SEED

NAME is a key of CLASSIFIERS. Each has its library's own settings, but for k = 3, the usual choice for MNIST, and
for all cores. Pixels are scaled to 0..1.
"""

import time
from typing import Any

import numpy as np
from measuring import read_parts, run_way, tested, timed


def nearest_neighbours(seed: int) -> Any:
    """The label that most of the three nearest pictures have."""
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(3, n_jobs=-1)


def lightgbm(seed: int) -> Any:
    """Boosted trees on pixels."""
    from lightgbm import LGBMClassifier

    return LGBMClassifier(random_state=seed, verbose=-1)


def mlp(seed: int) -> Any:
    """One hidden layer of 100 units, until the loss no longer falls."""
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(random_state=seed)


CLASSIFIERS = {"nearest_neighbours": nearest_neighbours, "lightgbm": lightgbm, "mlp": mlp}


def classic(name: str, path: str, seed: str) -> dict[str, Any]:
    """Fitted to the training images, then asked about the test images."""
    (images, labels), (test_images, test_labels) = read_parts(path)
    rows, test_rows = prepared(images), prepared(test_images)
    classifier = CLASSIFIERS[name](int(seed))
    started = time.perf_counter()
    classifier.fit(rows, labels)
    fitted = time.perf_counter()
    told = classifier.predict(test_rows)
    return timed(started, fitted) | {"test": tested(told, test_labels)}


def prepared(images: Any) -> Any:
    """Images uint8 (n, 28, 28) -> float32 (n, 784) in 0..1."""
    return images.reshape(len(images), -1).astype(np.float32) / 255


if __name__ == "__main__":
    run_way({"classic": classic})
