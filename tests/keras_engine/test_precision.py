"""Faster ways to compute the same: bfloat16 where it is allowed and there, and one operation for BatchNorm.

The oracles are float32, and Keras's own BatchNormalization.
"""

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from tenfold.digits import Digits
from tenfold.engine import weights_of
from tenfold.errors import UsageError
from tenfold.keras_engine import KerasEngine, backend, engine
from tenfold.keras_engine.tensorflow_epoch import BatchNormalization
from tenfold.layers import BatchNorm, Conv2D, Dense, MaxPool, ReLU
from tenfold.network import Network
from tenfold.recipe import SGD, Adam, Recipe
from tenfold.training import resume, train
from tenfold.training.run import open_run

CNN = Network(
    Conv2D(16, bias=False), MaxPool(), BatchNorm(), ReLU(),
    Conv2D(12, bias=False), MaxPool(7), BatchNorm(), ReLU(),
    Dense(10),
)  # fmt: skip
MIXED = Recipe(CNN, optimizer=Adam(0.003), batch_size=32, precision="mixed")


@pytest.fixture
def bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has it; where there is none, TensorFlow computes the same, slowly."""
    monkeypatch.setattr(engine, "has_bfloat16", lambda: True)


@pytest.mark.parametrize("channels", [16, 24], ids=["a whole block", "and a half"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_batch_norm_in_one_operation_is_keras_own(channels: int, dtype: str):
    rng = np.random.default_rng(5)
    pictures = tf.cast(rng.normal(3.0, 2.0, (20, 6, 5, channels)), dtype)
    asked = tf.cast(rng.normal(size=pictures.shape), dtype)
    given = []
    for kind in (keras.layers.BatchNormalization, BatchNormalization):
        layer = kind(
            momentum=0.8, epsilon=0.02, dtype=f"mixed_{dtype}" if dtype != "float32" else dtype
        )
        layer.build(pictures.shape)
        layer.gamma.assign(np.linspace(0.5, 2.0, channels))
        layer.beta.assign(np.linspace(-1.0, 1.0, channels))
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            normalised = layer(pictures, training=True)
        watched = [pictures, layer.gamma.value, layer.beta.value]
        gradients = tape.gradient(normalised, watched, output_gradients=asked)
        given.append([normalised, *gradients, layer.moving_mean, layer.moving_variance])
    # Sums of 600 numbers in another order; and results of eight bits.
    tolerance = 1e-5 if dtype == "float32" else 2e-2
    for theirs, ours in zip(*given, strict=True):
        theirs, ours = (np.asarray(tf.cast(array, tf.float32)) for array in (theirs, ours))
        np.testing.assert_allclose(
            ours, theirs, rtol=tolerance, atol=tolerance * np.abs(theirs).max()
        )


def test_a_small_epsilon_is_kept():
    # Two values 2e-3 apart have the variance 1e-6, which an epsilon of 1e-6 halves and one of 1e-5 all but hides: the
    # least that some versions of the operation have taken.
    pair = np.array([-1e-3, 1e-3], np.float32).reshape(2, 1, 1, 1)
    normalised = np.asarray(BatchNormalization(epsilon=1e-6)(pair, training=True))
    np.testing.assert_allclose(normalised.ravel(), [-(0.5**0.5), 0.5**0.5], rtol=1e-4)


def test_the_moving_variance_is_that_of_the_batch_and_not_of_what_it_is_a_sample_of():
    # Of the two values 0 and 2 the variance is 1; of what they are drawn from it would be estimated as 2.
    layer = BatchNormalization(momentum=0.0)
    layer(np.array([0.0, 2.0], np.float32).reshape(2, 1, 1, 1), training=True)
    np.testing.assert_allclose(layer.moving_variance, [1.0], rtol=1e-6)


@pytest.mark.usefixtures("bfloat16")
@pytest.mark.slow
def test_mixed_precision_learns_what_float32_does(digits: Digits):
    mixed = KerasEngine(MIXED, digits, seed=3)
    full = KerasEngine(replace(MIXED, precision="float32"), digits, seed=3)
    assert (mixed.precision, full.precision) == ("bfloat16", "float32")
    epochs = [(mixed.train_epoch(e).losses, full.train_epoch(e).losses) for e in range(4)]
    first, last = np.array(epochs[0]), np.array(epochs[-1])
    # The first loss is that of the same weights, with factors of eight bits: not the same, and close.
    assert 0 < abs(first[0, 0] - first[1, 0]) < 0.02 * first[1, 0]
    assert last.mean() < first.mean() / 2
    assert last[0].mean() == pytest.approx(last[1].mean(), rel=0.1)


@pytest.mark.slow
@pytest.mark.usefixtures("bfloat16")
def test_gradients_in_mixed_precision_point_where_those_in_float32_do(digits: Digits):
    # One step of plain descent from the same start is the gradient.
    moved = []
    for precision in ("float32", "mixed"):
        recipe = replace(MIXED, precision=precision, optimizer=SGD(1.0), batch_size=800)
        trained = KerasEngine(recipe, digits, seed=1)
        start = weights_of(trained.state())
        trained.train_epoch(0)
        after = weights_of(trained.state())
        moved.append(
            np.concatenate([(after[n] - start[n]).ravel() for n in start if "moving" not in n])
        )
    cosine = moved[0] @ moved[1] / np.linalg.norm(moved[0]) / np.linalg.norm(moved[1])
    # Roundings of 2^-9 each, without a direction of their own: measured 0.9998 where the processor knows bfloat16,
    # and 0.9986 where TensorFlow writes it out in other operations.
    assert cosine > (0.999 if backend.has_bfloat16() else 0.998)


@pytest.mark.slow
@pytest.mark.usefixtures("bfloat16")
def test_what_is_kept_and_what_is_used_stays_float32(digits: Digits):
    mixed = KerasEngine(MIXED, digits, seed=3)
    mixed.train_epoch(0)
    state = mixed.state()
    assert {str(array.dtype) for array in state.values()} == {"float32", "int64"}
    full = KerasEngine(replace(MIXED, precision="float32"), digits, seed=4)
    full.restore(state)
    np.testing.assert_array_equal(mixed.logits(digits.images), full.logits(digits.images))


@pytest.mark.slow
def test_without_bfloat16_a_mixed_recipe_is_one_in_float32(
    digits: Digits, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(engine, "has_bfloat16", lambda: False)
    allowed = KerasEngine(MIXED, digits, seed=3)
    full = KerasEngine(replace(MIXED, precision="float32"), digits, seed=3)
    assert allowed.precision == "float32"
    np.testing.assert_array_equal(allowed.train_epoch(0).losses, full.train_epoch(0).losses)


@pytest.mark.parametrize(
    ("flags", "there"),
    [("sse2 avx512_bf16 fma", True), ("amx_bf16 amx_tile", True), ("avx2 avx512f fma", False)],
)
def test_a_processor_has_bfloat16_if_it_says_so(
    flags: str, there: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    monkeypatch.setattr(backend, "_cpu_flags", lambda: set(flags.split()))
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")
    assert backend.has_bfloat16() is there


def test_bfloat16_is_not_computed_in_without_onednn(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    monkeypatch.setattr(backend, "_cpu_flags", lambda: {"amx_bf16"})
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    assert backend.has_bfloat16() is False


@pytest.mark.parametrize(
    ("capabilities", "there"),
    [(["9.0"], True), (["8.0", "12.0"], True), (["7.5"], False), (["gfx90a"], False), ([], False)],
    ids=str,
)
def test_jax_has_bfloat16_on_gpus_that_say_so(
    capabilities: list[str], there: bool, monkeypatch: pytest.MonkeyPatch
):
    class Device:
        def __init__(self, capability: str) -> None:
            self.compute_capability = capability

    class Cpu:
        platform = "cpu"

    devices = [Device(each) for each in capabilities] or [Cpu()]
    monkeypatch.setitem(sys.modules, "jax", SimpleNamespace(devices=lambda: devices))
    assert backend._jax_has_bfloat16() is there


@pytest.mark.parametrize(
    ("available", "capability", "there"),
    [(True, (9, 0), True), (True, (7, 5), False), (False, None, False)],
)
def test_torch_has_bfloat16_on_a_gpu_that_says_so(
    available: bool, capability: tuple[int, int], there: bool, monkeypatch: pytest.MonkeyPatch
):
    cuda = SimpleNamespace(is_available=lambda: available, get_device_capability=lambda: capability)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    assert backend._torch_has_bfloat16() is there


@pytest.mark.parametrize(("capability", "there"), [((9, 0), True), ((8, 0), True), ((7, 5), False)])
def test_a_gpu_has_bfloat16_from_compute_capability_8_on(
    capability: tuple[int, int], there: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a GPU"])
    monkeypatch.setattr(
        tf.config.experimental, "get_device_details", lambda gpu: {"compute_capability": capability}
    )
    assert backend.has_bfloat16() is there


@pytest.mark.slow
def test_a_run_is_not_continued_in_another_precision(
    digits: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from tenfold.digits import Parts

    recipe = replace(MIXED, epochs=2, validation_share=0.0)
    parts, folder = Parts(digits, None), tmp_path / "run"
    monkeypatch.setattr(engine, "has_bfloat16", lambda: True)

    class Interrupted(Exception):
        pass

    def interrupt(_: object) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        train(recipe, parts, folder=folder, seed=0, names=("mixed", "test"), on_epoch=interrupt)
    monkeypatch.setattr(engine, "has_bfloat16", lambda: False)
    with pytest.raises(UsageError, match="computes in bfloat16"):
        resume(folder, parts)
    monkeypatch.setattr(engine, "has_bfloat16", lambda: True)
    resume(folder, parts)
    assert open_run(folder).record["precision"] == "bfloat16"
