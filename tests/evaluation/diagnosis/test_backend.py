"""A backend that computes wrongly is blamed, and a right one is not."""

import numpy as np
import pytest
from scripts import dense, fitted

import tenfold
from tenfold.evaluation.diagnosis.backend import LARGEST_GAP, LOWEST_SHARE, control_run

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("how", ["noise", "lost columns", "halved"])
def test_a_layer_that_multiplies_wrongly_is_found_by_the_control_run(how, arrays, monkeypatch):
    import keras

    right = keras.layers.Dense.call

    def wrong(layer, inputs, training=None):
        outputs = right(layer, inputs)
        if how == "noise":
            return outputs + 2.0 * keras.random.normal(keras.ops.shape(outputs))
        if how == "lost columns":
            return right(
                layer, inputs * (keras.ops.arange(inputs.shape[-1]) < 0.6 * inputs.shape[-1])
            )
        return keras.ops.round(outputs * 0.5)

    monkeypatch.setattr(keras.layers.Dense, "call", wrong)
    diagnosis = tenfold.diagnose(**fitted(arrays.scaled(), dense(64, 32)))
    assert diagnosis.cause == "backend_computes_wrongly", str(diagnosis)


def test_a_right_backend_passes_the_control_run_by_far():
    import keras

    gap, told = control_run(keras)
    assert gap < LARGEST_GAP / 100
    assert told.interval()[0] > LOWEST_SHARE
    assert np.isfinite(gap)
