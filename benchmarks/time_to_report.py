"""The whole process of a training, from the command to the report, beside keras.io's example network.

Claim: `tenfold train --recipe standard` (import, training, parity check, test images, report) ends sooner than
a program with keras.io's example network and settings (15 epochs), and tells more test images right. The
record also holds the FLOPs of an image, and which share of a large matrix product's FLOPs a second the
training reaches, compilation included.
"""

import argparse
import json
from pathlib import Path

from processes import Groups, Report, Way, mnist_file, options, ours, peer, tenfold
from record import bench, work

KERAS_EPOCHS = 15


def groups(chosen: argparse.Namespace, folder: Path) -> Groups:
    """The programs, and what the share is a share of."""
    recipe, file = chosen.recipe, mnist_file(folder, chosen.images)
    shorter = ("--epochs", chosen.epochs) if chosen.epochs else ()

    def train(seed: int) -> list[str]:
        words = ("--data", f"npz:{file}", "--seed", seed, "--out", folder / f"run-{seed}")
        return tenfold("train", "--recipe", recipe, *words, *shorter, "--json")

    def example(seed: int) -> list[str]:
        return peer("with_keras.py", "example", file, seed, chosen.epochs or KERAS_EPOCHS)

    return {
        "whole process": {
            f"tenfold train, {recipe}": Way(train, of_run),
            "Keras's example": Way(example),
        },
        "limit": {"matrix product": Way(lambda _: ours("matrix_product", recipe))},
    }


def of_run(printed: str) -> Report:
    """What `tenfold train --json` printed -> what a Report says of the run."""
    record = json.loads(printed)
    correct, total = (record["results"]["test"][key] for key in ("correct", "total"))
    return {
        "training_seconds": record["seconds"]["training"],
        "epochs": record["epochs"],
        "training_images": record["data"]["images"]["training"],
        "test_openings": record["test_openings"],
        "test": {"accuracy": correct / total, "correct": correct, "total": total},
    }


if __name__ == "__main__":
    arguments = options(__doc__, rounds=3, recipe="standard")
    arguments.add_argument("--epochs", type=int, help="of both, to be done sooner")
    bench(__file__, arguments, groups, work)
