"""What an epoch costs with more images, and with more cores.

Claim: an epoch's seconds grow with the images and no faster (6,000, 60,000 and 600,000 of them, the last made
from MNIST by moving its digits by a pixel), memory by some three times the images' own bytes, those included that
moving them takes; what a second core saves, the record says. The first epoch compiles; the same epoch again is what is compared.
"""

import argparse
from pathlib import Path

from processes import Groups, Way, mnist_file, options, ours
from record import bench

SIZES = (6_000, 60_000, 600_000)
CORES = (1, 2)


def groups(chosen: argparse.Namespace, folder: Path) -> Groups:
    """More images with all cores, and more cores with all images of MNIST."""
    recipe, file = chosen.recipe, mnist_file(folder, chosen.images)

    def epoch(images: int, cores: int = 0) -> Way:
        return Way(lambda _: ours("epoch", recipe, file, images), cores=cores)

    return {
        "images": {f"{size:,} images": epoch(size) for size in chosen.sizes},
        "cores": {f"cores: {cores}": epoch(chosen.images, cores) for cores in CORES},
    }


if __name__ == "__main__":
    arguments = options(__doc__, rounds=3, recipe="standard")
    arguments.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="how many images")
    bench(__file__, arguments, groups)
