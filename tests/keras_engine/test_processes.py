"""What only a process of its own can show: exact continuation, each backend, and a quiet, light start.

Every backend that is installed trains here, TensorFlow and JAX among them.
"""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tenfold.augmentation import Cutout, Elastic, Rotate, Scale, Shear, Shift
from tenfold.digits import Digits
from tenfold.keras_engine.backend import BACKENDS
from tenfold.layers import BatchNorm, Conv2D, Dense, Dropout, MaxPool, ReLU, Residual
from tenfold.network import Network
from tenfold.recipe import Adam, Averaging, OneCycle, Recipe

pytestmark = pytest.mark.slow

INSTALLED = [backend for backend in BACKENDS if find_spec(backend)]

TRAIN = """
import json, sys
from pathlib import Path
import numpy as np
from tenfold.digits import Digits
from tenfold.keras_engine import KerasEngine, device_report, engine
from tenfold.recipe import recipe_from_json

# A mixed recipe is computed in bfloat16 everywhere, slowly where there is no hardware for it.
engine.has_bfloat16 = lambda: True

folder = Path(sys.argv[1])
digits = Digits(**np.load(folder / "digits.npz"), source="a test")
for job in json.loads((folder / sys.argv[2]).read_text()):
    trained = KerasEngine(recipe_from_json(job["recipe"]), digits, seed=7)
    if job["state"]:
        trained.restore(dict(np.load(folder / job["state"])))
    for epoch in job["epochs"]:
        result = trained.train_epoch(epoch)
        np.savez(folder / f"{job['name']}-{epoch}", **trained.state())
    np.savez(folder / job["name"], losses=result.losses, logits=trained.logits(digits.images))
    trained.settle()
    np.savez(folder / f"{job['name']}-settled", **trained.state())
print(json.dumps({"backend": trained.backend, "device": device_report()}))
"""

EVERY_KIND = (Shift(), Rotate(), Scale(), Shear(), Elastic(), Cutout())

# Everything that has a state beside the weights: dropout, moving statistics, moments, averages, a schedule.
WITH_STATE = Recipe(
    Network(
        Conv2D(16, bias=False),
        BatchNorm(),
        ReLU(),
        MaxPool(7),
        Residual(Conv2D(16), ReLU()),
        Dropout(0.3),
        Dense(10),
    ),
    schedule=OneCycle(),
    epochs=3,
    augmentation=EVERY_KIND,
    averaging=Averaging(0.9),
    precision="mixed",
)
# Without dropout, of which each backend has its own, and of the layers that XLA compiles in one loop.
PLAIN = Recipe(
    Network(Dense(32, bias=False), BatchNorm(), ReLU(), Dense(10)),
    optimizer=Adam(),
    epochs=3,
    augmentation=EVERY_KIND,
    label_smoothing=0.1,
    averaging=Averaging(0.9),
)


STRAIGHT = (
    {"name": "straight", "recipe": WITH_STATE.to_json(), "state": None, "epochs": [0, 1, 2]},
    {"name": "plain", "recipe": PLAIN.to_json(), "state": None, "epochs": [0, 1, 2]},
)
ON = (
    {"name": "on", "recipe": WITH_STATE.to_json(), "state": "straight-0.npz", "epochs": [1, 2]},
    {"name": "plain-on", "recipe": PLAIN.to_json(), "state": "plain-0.npz", "epochs": [1, 2]},
)


class Trained:
    """What the processes of one backend left in a folder of theirs."""

    def __init__(self, backend: str, folder: Path, digits: Digits) -> None:
        self.backend, self.folder = backend, folder
        np.savez(folder / "digits", images=digits.images, labels=digits.known_labels)

    def start(self, jobs: tuple[dict[str, Any], ...]) -> None:
        (self.folder / "jobs.json").write_text(json.dumps(jobs))
        self.process = subprocess.Popen(
            [sys.executable, "-c", TRAIN, str(self.folder), "jobs.json"],
            env=os.environ | {"KERAS_BACKEND": self.backend},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self) -> None:
        said, self.complained = self.process.communicate(timeout=300)
        assert self.process.returncode == 0, self.complained
        self.report = json.loads(said)

    def __getitem__(self, name: str) -> dict[str, np.ndarray]:
        return dict(np.load(self.folder / f"{name}.npz"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, digits: Digits) -> dict[str, Trained]:
    some = digits.take(np.arange(640))
    all_of_them = {b: Trained(b, tmp_path_factory.mktemp(b), some) for b in INSTALLED}
    for jobs in (STRAIGHT, ON):
        for one in all_of_them.values():
            one.start(jobs)
        for one in all_of_them.values():
            one.finish()
    return all_of_them


def test_tensorflow_and_jax_are_tested():
    assert {"tensorflow", "jax"} <= set(INSTALLED)


@pytest.mark.parametrize("backend", INSTALLED)
@pytest.mark.parametrize(("straight", "on"), [("straight", "on"), ("plain", "plain-on")])
def test_a_new_process_goes_on_to_the_last_bit(
    backend: str, straight: str, on: str, trained: dict[str, Trained]
):
    for end in ("2", "settled"):
        one, other = trained[backend][f"{straight}-{end}"], trained[backend][f"{on}-{end}"]
        assert one["step"] == 60
        for name, array in one.items():
            np.testing.assert_array_equal(array, other[name], err_msg=name)
    for name in ("losses", "logits"):
        np.testing.assert_array_equal(trained[backend][straight][name], trained[backend][on][name])


@pytest.mark.parametrize("backend", [b for b in INSTALLED if b != "tensorflow"])
def test_every_backend_makes_the_network_that_tensorflow_makes(
    backend: str, trained: dict[str, Trained]
):
    ours, theirs = trained[backend], trained["tensorflow"]
    # 60 steps of float32 rounding: measured 2e-7 in losses, 7e-7 in arrays. A value within rounding of a
    # ReLU's kink may add a little on another machine.
    np.testing.assert_allclose(ours["plain"]["losses"], theirs["plain"]["losses"], atol=1e-5)
    for end in ("plain-2", "plain-settled"):
        one, other = ours[end], theirs[end]
        assert one.keys() == other.keys()
        for name, array in other.items():
            assert array.dtype == one[name].dtype
            assert np.linalg.norm(one[name] - array) <= 1e-4 * np.linalg.norm(array), name


@pytest.mark.parametrize("backend", INSTALLED)
def test_the_backend_is_the_one_that_was_asked_for(backend: str, trained: dict[str, Trained]):
    report = trained[backend].report
    name, version, devices, no_gpu, _ = report["device"]
    assert report["backend"] == name == backend
    assert version[0].isdigit()
    # Either a GPU has a name, or its absence has a reason.
    assert (no_gpu is None) == any(device != "CPU" for device in devices)


def test_tensorflow_starts_without_a_word_that_is_no_warning(trained: dict[str, Trained]):
    said = trained["tensorflow"].complained.splitlines()
    assert [line for line in said if line.startswith("I0") or "cpu_feature_guard" in line] == []


def test_importing_the_room_and_choosing_a_backend_load_no_keras():
    code = (
        "import sys, tenfold.keras_engine as room; room.use_backend('tensorflow'); "
        "print({'keras', 'tensorflow', 'jax', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
