"""Pictures a second, and how long one picture alone takes, beside onnxruntime's own limit and Keras.

Claim: `predict_proba` gives nearly all that onnxruntime can do with the same model, at every number of pictures
at once, and many times what `predict` of the same network in Keras gives. The 99th percentile says what one
in a hundred has to wait at least.
"""

import argparse
from pathlib import Path

from processes import Groups, Way, keras_file, mnist_file, options, ours, peer, quick_model
from record import bench


def groups(chosen: argparse.Namespace, folder: Path) -> Groups:
    """One model, answering in three ways."""
    digits, model = mnist_file(folder, chosen.images), quick_model(folder, chosen.recipe)
    file, graph = keras_file(model), model / "model" / "model.onnx"
    return {
        "answers": {
            "tenfold predict_proba": Way(lambda _: ours("answer", model, digits)),
            "onnxruntime alone": Way(
                lambda _: peer("with_onnxruntime.py", "answer", graph, digits)
            ),
            "Keras predict": Way(lambda _: peer("with_keras.py", "answer", file, digits)),
        }
    }


if __name__ == "__main__":
    bench(__file__, options(__doc__, rounds=3, recipe="standard"), groups)
