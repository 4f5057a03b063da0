"""Seconds of training to 99 % on the test images, images in memory, beside the published speed run and `fit`.

Claim: `fast` passes 99 % in less time than the published one-epoch recipe on PyTorch (channels last, bfloat16
where the processor has it) and than `fit` with keras.io's example network, which stops itself once an epoch
ends with 99 % on its validation images. Each trains twice from the same start, or compiles first, so that
its seconds stand with and without what happens only the first time; those of the process are of both. The
record also holds the FLOPs of an image, and which share of a large matrix product's FLOPs a second the
training reaches.
"""

import argparse
from pathlib import Path

from processes import Groups, Way, mnist_file, options, ours, peer
from record import bench, work


def groups(chosen: argparse.Namespace, folder: Path) -> Groups:
    """The trainings, and what the share is a share of."""
    recipe, file = chosen.recipe, mnist_file(folder, chosen.images)
    return {
        "training": {
            f"tenfold, {recipe}": Way(lambda seed: ours("train", recipe, file, seed)),
            "speed run on PyTorch": Way(
                lambda seed: peer("with_torch.py", "speed_run", file, seed)
            ),
            "Keras fit": Way(lambda seed: peer("with_keras.py", "until_99", file, seed)),
        },
        "limit": {"matrix product": Way(lambda _: ours("matrix_product", recipe))},
    }


if __name__ == "__main__":
    bench(__file__, options(__doc__, rounds=5, recipe="fast"), groups, work)
