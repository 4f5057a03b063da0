"""How long a command takes that has little to do: whole processes.

Claim: `tenfold --help` and `tenfold predict MODEL one.png` are done before Keras has been imported (in the same
environment), and the latter long before a Keras program has opened the same model and told one digit.
"""

import argparse
import sys
from pathlib import Path

from PIL import Image
from processes import Groups, Way, keras_file, options, peer, quick_model, silent, tenfold
from record import bench

from tenfold import load

IMPORT_KERAS = [sys.executable, "-c", "import keras"]


def groups(chosen: argparse.Namespace, folder: Path) -> Groups:
    """A command that only speaks, and one that tells a digit."""
    model, picture = quick_model(folder, chosen.recipe), folder / "one.png"
    file = keras_file(model)
    Image.fromarray(load("mnist5k").train.images[0]).save(picture)
    return {
        "help": {
            "tenfold --help": Way(lambda _: tenfold("--help"), silent),
            "import keras": Way(lambda _: IMPORT_KERAS, silent),
        },
        "one picture": {
            "tenfold predict": Way(lambda _: tenfold("predict", model, picture), silent),
            "Keras predict": Way(lambda _: peer("with_keras.py", "one_picture", file, picture)),
        },
    }


if __name__ == "__main__":
    bench(__file__, options(__doc__, rounds=10, recipe="standard"), groups)
