"""What every test stands on: floating-point faults are errors, real MNIST only where it is named."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest

from tenfold.digits import Digits

# The same examples everywhere, so that a failure can be seen again; no deadline, since machines are shared.
hypothesis.settings.register_profile("tenfold", derandomize=True, deadline=None)
hypothesis.settings.load_profile("tenfold")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests on real MNIST run where TENFOLD_MNIST names it; there they fail rather than skip."""
    if os.environ.get("TENFOLD_MNIST"):
        return
    left_out = [item for item in items if item.get_closest_marker("mnist")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker("mnist")]


@pytest.fixture(autouse=True)
def _floating_point_faults_are_errors() -> Iterator[None]:
    # Underflow to 0 is what float32 is for: exp(-200) in a softmax is no fault.
    with np.errstate(all="raise", under="ignore"):
        yield


@pytest.fixture(autouse=True)
def _a_home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENFOLD_HOME", str(tmp_path / "tenfold-home"))


@pytest.fixture(scope="session")
def small_digits() -> Digits:
    """1,000 real MNIST digits, 100 of each class, interleaved 0..9."""
    from tenfold.data import load

    return load("mnist5k", say=lambda _: None).train.take(np.arange(1_000))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's chromium, or another one on the PATH, as Playwright drives it; without any a test fails and says so.

    Of a module, because Playwright keeps an event loop running, and no other test of the process could start one.
    """
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.fail("There is no chromium on the PATH. On Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        # The tests may run as root, where chromium's own sandbox cannot.
        # A name that leads to this machine is what DNS rebinding ends in.
        rebinding = "--host-resolver-rules=MAP rebound.example 127.0.0.1"
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", rebinding])
        yield browser
        browser.close()
