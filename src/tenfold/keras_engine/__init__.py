"""The engine that leaves the computing to Keras, on TensorFlow, JAX or PyTorch.

    backend      which of the three, chosen before Keras is imported; what devices it sees
    model        a Network as the plain keras.Model its reader would have written, and as a .keras file
    litert       networks as a LiteRT file
    optimizers   a Recipe's optimizer as Keras's
    objective    the loss and the count that all three compute
    *_epoch      one epoch on each backend: the only code that knows which one it is
    engine       KerasEngine, which holds it all together

Importing this room imports no Keras: a name's home is imported when the name is first used.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING

from tenfold.keras_engine.backend import DeviceReport, device_report, import_keras, use_backend

if TYPE_CHECKING:
    from tenfold.keras_engine.engine import KerasEngine
    from tenfold.keras_engine.litert import to_litert
    from tenfold.keras_engine.model import build, save_keras

# Level 1 leaves out what is neither a warning nor an error: a dozen lines on the processor's
# features and on the compiler, before the first word of ours.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")

# TensorFlow leaves oneDNN off on processors without AVX-512; a small CNN's step takes 1.2 to 1.6 times
# as long without it on one with AVX2 alone.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

_HOMES = {
    "KerasEngine": "engine",
    "build": "model",
    "save_keras": "model",
    "to_litert": "litert",
}

__all__ = [
    "DeviceReport",
    "KerasEngine",
    "build",
    "device_report",
    "save_keras",
    "to_litert",
    "use_backend",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'tenfold.keras_engine' has no attribute {name!r}")
    import_keras()
    return getattr(import_module(f"tenfold.keras_engine.{_HOMES[name]}"), name)
