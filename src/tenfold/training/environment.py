"""What a training ran on: versions of the packages that compute, and the machine."""

import os
import platform
from importlib import metadata
from pathlib import Path

_PACKAGES = (
    "tenfold", "numpy", "keras", "tensorflow-cpu", "tensorflow", "jax", "torch", "onnx", "onnxruntime",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Installed versions by package name; Python's own under "python"."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, str | int]:
    """Processor, cores this process may use, and operating system."""
    return {"processor": _processor(), "cores": _cores(), "system": platform.platform()}


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    """The processor's name: from /proc/cpuinfo on Linux, where platform.processor() says nothing."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
