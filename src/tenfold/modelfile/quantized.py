"""An ONNX model -> the same in 8 bits: less than a third of the size, and other probabilities by a little.

What layers give is rounded to 256 steps and weights to 128, whose size is found on pictures like those the model is for
(post-training quantization). Softmax and means stay in 32 bits, so that probabilities sum to 1.
Source: Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference"; the form, QDQ, is that of ONNX Runtime's quantization tool.
"""

import contextlib
import io
import logging
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from tenfold.digits import Classifier, Images
from tenfold.errors import ParityError
from tenfold.modelfile.native import INPUT

LAYERS = ["Conv", "Gemm", "Add", "Relu", "MaxPool"]
CALIBRATION_IMAGES = 1_000
AGREEMENT = 0.99
"""Of the digits told, so many must be those of the model in 32 bits. Whatever differs in 8 bits differs by rounding
alone, which changes only answers that were close: 0.1 % of MNIST's test part for a network of 99.4 %."""


def quantized(content: bytes, images: Images) -> bytes:
    """An ONNX model in float32, serialised, and pictures like its own (n, 28, 28) -> the model in 8 bits."""
    from onnxruntime import quantization

    with TemporaryDirectory() as folder, _quietly():
        source, prepared, target = (Path(folder, f"{name}.onnx") for name in "abc")
        source.write_bytes(content)
        # It joins each BatchNormalization with the Conv before it.
        quantization.quant_pre_process(source, prepared, skip_symbolic_shape=True)
        quantization.quantize_static(
            prepared,
            target,
            _Calibration(images),
            op_types_to_quantize=LAYERS,
            per_channel=True,
            # ONNX Runtime has fast code for unsigned activations on every processor.
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            # Processors without instructions for sums of bytes (VNNI) add products two at a time in 16 bits: two of
            # 255 * 64 fit, two of 255 * 127 are cut off (docs/experiments.md, 2026-11-30).
            reduce_range=True,
        )
        return target.read_bytes()


def check_digits_agree(ours: Classifier, theirs: Classifier, images: Images) -> None:
    """ParityError where fewer digits than `AGREEMENT` are told alike on pictures (n, 28, 28) not calibrated on."""
    expected, received = (model.predict_proba(images).argmax(axis=1) for model in (ours, theirs))
    differing = int((expected != received).sum())
    if differing > (1 - AGREEMENT) * len(images):
        raise ParityError(
            f"The model in 8 bits tells {differing:,} of {len(images):,} digits otherwise than the one in 32 bits; "
            f"allowed are {1 - AGREEMENT:.0%}. Export it as onnx."
        )


class _Calibration:
    """Pictures in batches, as the quantization tool asks for them."""

    def __init__(self, images: Images) -> None:
        chosen = np.linspace(0, len(images) - 1, min(len(images), CALIBRATION_IMAGES)).astype(
            np.intp
        )
        batches = np.array_split(images[chosen], max(1, len(chosen) // 50))
        self._batches: Iterator[dict[str, Any]] = iter([{INPUT: batch} for batch in batches])

    def get_next(self) -> dict[str, Any] | None:
        return next(self._batches, None)


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Within, the tool neither prints nor logs what it does, or what it would have liked."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(disabled)
