"""The most memory a process holds while it trains, and while it tells 10,000 digits, beside Keras.

Claim: telling digits takes a fraction of the memory that Keras takes for it, because no framework is loaded;
training takes about what `fit` of keras.io's smaller network does, though its images are bytes: the rest is the
framework's. Two epochs of training tell what many would, as memory no longer grows after the first.
"""

import argparse
from pathlib import Path

import numpy as np
from processes import (
    Groups,
    Way,
    keras_file,
    mnist_file,
    options,
    peer,
    quick_model,
    silent,
    tenfold,
)
from record import bench


def groups(chosen: argparse.Namespace, folder: Path) -> Groups:
    """Training and telling."""
    recipe, epochs, digits = chosen.recipe, chosen.epochs, mnist_file(folder, chosen.images)
    model, images, told = quick_model(folder, recipe), folder / "images.npz", folder / "told.csv"
    file = keras_file(model)
    with np.load(digits) as arrays:
        np.savez(images, images=arrays["x_test"])

    def train(seed: int) -> list[str]:
        words = ("--data", f"npz:{digits}", "--out", folder / f"run-{seed}")
        return tenfold("train", "--recipe", recipe, "--epochs", epochs, *words)

    return {
        "training": {
            f"tenfold train, {recipe}": Way(train, silent),
            "Keras fit": Way(lambda seed: peer("with_keras.py", "example", digits, seed, epochs)),
        },
        "10,000 pictures": {
            "tenfold predict": Way(
                lambda _: tenfold("predict", model, f"npz:{images}", "--out", told), silent
            ),
            "Keras predict": Way(lambda _: peer("with_keras.py", "all_test_images", file, digits)),
        },
    }


if __name__ == "__main__":
    arguments = options(__doc__, rounds=3, recipe="standard")
    arguments.add_argument("--epochs", type=int, default=2, help="of both; 2")
    bench(__file__, arguments, groups)
