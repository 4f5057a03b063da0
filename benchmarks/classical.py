"""A fully connected network beside what people ran before they ran networks: seconds and test accuracy.

Claim: `mlp` tells more test images right than three nearest neighbours, boosted trees on pixels (LightGBM) and
scikit-learn's MLPClassifier; in what time, the record says. Fitting and predicting the 10,000
test images are timed inside the process; importing and reading are not.
"""

import argparse
from pathlib import Path

from processes import Groups, Way, mnist_file, options, ours, peer
from record import bench

NAMES = {
    "nearest_neighbours": "3 nearest neighbours",
    "lightgbm": "LightGBM",
    "mlp": "scikit-learn MLPClassifier",
}


def groups(chosen: argparse.Namespace, folder: Path) -> Groups:
    """One group: all of them."""
    recipe, file = chosen.recipe, mnist_file(folder, chosen.images)

    def classic(name: str) -> Way:
        return Way(lambda seed: peer("with_classics.py", "classic", name, file, seed))

    own = {f"tenfold, {recipe}": Way(lambda seed: ours("fit", recipe, file, seed))}
    return {"fit and predict": own | {shown: classic(name) for name, shown in NAMES.items()}}


if __name__ == "__main__":
    bench(__file__, options(__doc__, rounds=3, recipe="mlp"), groups)
