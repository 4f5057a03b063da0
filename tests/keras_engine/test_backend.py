"""Choosing a backend, and saying why there is no GPU."""

import importlib.util
import os
import shutil
import sys

import keras
import pytest

from tenfold.errors import MissingExtra, UnknownName, UsageError
from tenfold.keras_engine import backend as room
from tenfold.keras_engine import use_backend


@pytest.fixture
def keras_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "keras")
    monkeypatch.setenv("KERAS_BACKEND", "none yet")


@pytest.mark.usefixtures("keras_not_imported")
def test_a_backend_is_chosen_before_keras_is_imported():
    installed = keras.backend.backend()
    use_backend(installed)
    assert os.environ["KERAS_BACKEND"] == installed


def test_choosing_the_backend_that_keras_has_is_no_mistake():
    installed = keras.backend.backend()
    use_backend(installed)
    assert keras.backend.backend() == installed


def test_another_backend_comes_too_late_once_keras_is_imported():
    other = next(name for name in room.BACKENDS if name != keras.backend.backend())
    with pytest.raises(UsageError, match=f"KERAS_BACKEND={other}"):
        use_backend(other)


def test_a_misspelt_backend_is_answered_with_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'tensorflow'"):
        use_backend("tensorflo")


@pytest.mark.usefixtures("keras_not_imported")
def test_a_backend_that_is_not_installed_is_answered_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'tenfold\[torch\]'"):
        use_backend("torch")
    assert os.environ["KERAS_BACKEND"] == "none yet"


def test_keras_that_cannot_be_imported_is_answered_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setitem(sys.modules, "keras", None)
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(MissingExtra, match=r"pip install 'tenfold\[jax\]'"):
        room.import_keras()


def test_a_missing_gpu_has_its_reasons(monkeypatch: pytest.MonkeyPatch):
    def reason(*, driver: bool, built: bool) -> str:
        monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}" if driver else None)
        return room._no_gpu("jax", built, "the command")

    assert "no NVIDIA driver" in reason(driver=False, built=True)
    assert "the command" in reason(driver=True, built=False)
    both = reason(driver=False, built=False)
    assert "no NVIDIA driver" in both
    assert "the command" in both
    assert "do not fit the driver" in reason(driver=True, built=True)


@pytest.mark.parametrize("name", ["foo", "openvino"])
def test_a_backend_by_an_unknown_name_is_a_mistake_and_no_fault(name, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", name)
    with pytest.raises(UnknownName, match=f"backend .*{name}|{name}"):
        room.import_keras()
