"""Which of its three backends Keras computes with, and which devices that one sees.

Keras chooses when it is imported: by KERAS_BACKEND, else by ~/.keras/keras.json, else TensorFlow.
So the choice is made here first, and every import of Keras in this package comes after it.
"""

import importlib.util
import os
import re
import shutil
import sys
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from tenfold.errors import MissingExtra, UsageError, lookup
from tenfold.keras_engine.quiet import without_remarks

_INSTALL = {
    "tensorflow": "pip install tensorflow",
    "jax": "pip install 'tenfold[jax]'",
    "torch": "pip install 'tenfold[torch]'",
}
BACKENDS = tuple(_INSTALL)


class DeviceReport(NamedTuple):
    """What computes: the backend, its version, its devices, why there is no GPU among them, and whether it is
    fast in bfloat16.

    `no_gpu` is None where there is one.
    """

    backend: str
    version: str
    devices: tuple[str, ...]
    no_gpu: str | None
    bfloat16: bool


def use_backend(name: str) -> None:
    """Let Keras compute with "tensorflow", "jax" or "torch" from its first import on.

    Raises:
        UnknownName: there is no such backend.
        MissingExtra: its package is not installed.
        UsageError: Keras has been imported already, with another one.
    """
    command = lookup(_INSTALL, name, "backend")
    if "keras" in sys.modules:
        chosen = sys.modules["keras"].backend.backend()
        if chosen != name:
            raise UsageError(
                f"backend: expected {chosen}, with which Keras has been imported already, received {name}. "
                f"Start anew and choose before Keras is imported: KERAS_BACKEND={name}."
            )
    elif importlib.util.find_spec(name) is None:
        raise MissingExtra(f"The backend {name} is not installed. Install it with: {command}")
    else:
        os.environ["KERAS_BACKEND"] = name


def import_keras() -> None:
    """Import Keras with the backend it has been given.

    Raises:
        MissingExtra: that backend cannot be imported.
        UnknownName: Keras has it, but it does not train.
    """
    if name := os.environ.get("KERAS_BACKEND"):
        lookup(_INSTALL, name, "backend")
    try:
        with without_remarks():
            keras = importlib.import_module("keras")
        lookup(_INSTALL, keras.backend.backend(), "backend")
    except ImportError as error:
        name = os.environ.get("KERAS_BACKEND", "tensorflow")
        raise MissingExtra(
            f"Keras could not be imported with its backend {name} ({error}). Install it with: "
            f"{_INSTALL.get(name, 'pip install keras')}, or choose another: KERAS_BACKEND={' or '.join(b for b in BACKENDS if b != name)}."
        ) from error


def device_report() -> DeviceReport:
    """Ask the backend what it computes on; imports Keras."""
    import_keras()
    name = str(sys.modules["keras"].backend.backend())
    devices, with_gpu_code, command = _ASK[name]()
    no_gpu = None if any(d != "CPU" for d in devices) else _no_gpu(name, with_gpu_code, command)
    version = str(sys.modules[name].__version__)
    return DeviceReport(name, version, devices, no_gpu, has_bfloat16())


def has_bfloat16() -> bool:
    """Whether the backend multiplies bfloat16 numbers faster than float32 on what it computes on; imports Keras.

    NVIDIA's GPUs do from compute capability 8.0 on. On a CPU it takes the instructions, and oneDNN to use them:
    TensorFlow's operations have it.
    """
    import_keras()
    return _BFLOAT16[str(sys.modules["keras"].backend.backend())]()


def _tensorflow_has_bfloat16() -> bool:
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        with_onednn = os.environ.get("TF_ENABLE_ONEDNN_OPTS") != "0"
        return with_onednn and not _CPU_BFLOAT16.isdisjoint(_cpu_flags())
    details = (tf.config.experimental.get_device_details(gpu) for gpu in gpus)
    return all(detail.get("compute_capability", (0, 0)) >= _GPU_BFLOAT16 for detail in details)


def _jax_has_bfloat16() -> bool:
    import jax

    # A CPU has none, and one of AMD's GPUs has a name in its place.
    capabilities = [str(getattr(device, "compute_capability", "")) for device in jax.devices()]
    numbers = [re.fullmatch(r"(\d+)\.(\d+)", capability) for capability in capabilities]
    return all(n is not None and (int(n[1]), int(n[2])) >= _GPU_BFLOAT16 for n in numbers)


def _torch_has_bfloat16() -> bool:
    import torch

    there = torch.cuda.is_available()
    return bool(there and torch.cuda.get_device_capability() >= _GPU_BFLOAT16)


_BFLOAT16 = {
    "tensorflow": _tensorflow_has_bfloat16,
    "jax": _jax_has_bfloat16,
    "torch": _torch_has_bfloat16,
}
_GPU_BFLOAT16 = (8, 0)
_CPU_BFLOAT16 = {"amx_bf16", "avx512_bf16"}


def _cpu_flags() -> set[str]:
    """What the processor can do, in Linux's words; nothing elsewhere."""
    about = Path("/proc/cpuinfo")
    return set(about.read_text(errors="replace").split()) if about.exists() else set()


def _tensorflow() -> tuple[tuple[str, ...], bool, str]:
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    names = tuple(detail.get("device_name", "GPU") for detail in details)
    has_code = tf.test.is_built_with_gpu_support()
    return names or ("CPU",), has_code, "pip install 'tensorflow[and-cuda]'"


def _jax() -> tuple[tuple[str, ...], bool, str]:
    import jax

    names = tuple("CPU" if d.platform == "cpu" else d.device_kind for d in jax.devices())
    has_code = bool(metadata.entry_points(group="jax_plugins"))
    return names, has_code, "pip install 'jax[cuda12]'"


def _torch() -> tuple[tuple[str, ...], bool, str]:
    import torch

    names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("Apple GPU")
    command = "install PyTorch with CUDA as its site says for your system"
    return tuple(names) or ("CPU",), torch.backends.cuda.is_built(), command


_ASK = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}


def _no_gpu(name: str, with_gpu_code: bool, command: str) -> str:
    reasons = []
    if shutil.which("nvidia-smi") is None:
        reasons.append("no NVIDIA driver was found (there is no nvidia-smi)")
    if not with_gpu_code:
        reasons.append(f"this {name} was built for the CPU alone ({command})")
    return "; ".join(reasons) or (
        f"there is a driver, and {name} could not open a GPU with it: its CUDA libraries are missing "
        "or do not fit the driver"
    )
