"""A backend that computes wrongly is blamed, and a right one is not."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
from scripts import dense, fitted, pictures, small_cnn

import tenfold
from tenfold import Proportion
from tenfold.evaluation.diagnosis.backend import LARGEST_GAP, LOWEST_SHARE
from tenfold.keras_engine.backend import BACKENDS

pytestmark = pytest.mark.slow

CONTROL_RUN = """
import keras
from tenfold.evaluation.diagnosis.backend import control_run
gap, told = control_run(keras)
print(gap, told.successes, told.total)
"""


@pytest.mark.parametrize("how", ["noise", "rows moved on", "gradient reversed"])
def test_a_layer_that_multiplies_wrongly_is_found_by_the_control_run(how, arrays, monkeypatch):
    import keras

    right = keras.layers.Dense.call

    def wrong(layer, inputs, training=None):
        outputs = right(layer, inputs)
        if how == "noise":
            return outputs + 2.0 * keras.random.normal(keras.ops.shape(outputs))
        if how == "rows moved on":
            return keras.ops.roll(outputs, 1, axis=0)
        # Right forward; backward, the sign is wrong.
        return 2 * keras.ops.stop_gradient(outputs) - outputs

    monkeypatch.setattr(keras.layers.Dense, "call", wrong)
    diagnosis = tenfold.diagnose(**fitted(arrays.scaled(), dense(64, 32)))
    assert diagnosis.cause == "backend_computes_wrongly", str(diagnosis)


def test_a_convolution_that_computes_wrongly_is_found_though_layers_of_planes_are_right(
    arrays, monkeypatch
):
    import keras

    right = keras.layers.Conv2D.call
    monkeypatch.setattr(
        keras.layers.Conv2D,
        "call",
        lambda layer, inputs: keras.ops.roll(right(layer, inputs), 1, axis=0),
    )
    diagnosis = tenfold.diagnose(**fitted(arrays.map(pictures), small_cnn(), epochs=2))
    assert diagnosis.cause == "backend_computes_wrongly", str(diagnosis)


@pytest.mark.parametrize("name", [name for name in BACKENDS if find_spec(name)])
def test_a_right_backend_passes_the_control_run_by_far(name):
    done = subprocess.run(
        [sys.executable, "-c", CONTROL_RUN],
        env=os.environ | {"KERAS_BACKEND": name},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    gap, told, images = map(float, done.stdout.split())
    assert gap < LARGEST_GAP / 100
    assert Proportion(int(told), int(images)).interval()[0] > LOWEST_SHARE
