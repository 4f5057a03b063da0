"""Command lines run as a person runs them: in an empty folder, beside finished and unfinished runs."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from tenfold import verbs
from tenfold.cli import run
from tenfold.digits import Images
from tenfold.recipes import named_recipe
from tenfold.training import EpochResult

TWO_EPOCHS = replace(named_recipe("seed-numpy"), epochs=2)


class Outcome(NamedTuple):
    """What came of a command line."""

    code: int
    out: str
    err: str


Tenfold = Callable[..., Outcome]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands run in; empty."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def tenfold(here: Path, capsys: pytest.CaptureFixture[str]) -> Tenfold:
    """Runs one command line in this process, in the folder `here`."""

    def call(*arguments: str) -> Outcome:
        capsys.readouterr()
        return Outcome(run(arguments), *capsys.readouterr())

    return call


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run trained for two epochs on mnist5k; not to be written to."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    verbs.train(TWO_EPOCHS, "mnist5k", name="seed-numpy", out=folder, say=print)
    return folder


@pytest.fixture
def finished(finished_once: Path, here: Path) -> str:
    """A finished run of its own, in `here`."""
    shutil.copytree(finished_once, here / "run")
    return "run"


@pytest.fixture(scope="session")
def unfinished_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was interrupted after the first of two epochs; not to be written to."""
    folder = tmp_path_factory.mktemp("unfinished") / "half"

    def interrupt(_: EpochResult) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verbs.train(TWO_EPOCHS, "mnist5k", name="seed-numpy", out=folder, on_epoch=interrupt)
    return folder


@pytest.fixture
def unfinished(unfinished_once: Path, here: Path) -> str:
    """An unfinished run of its own, in `here`."""
    shutil.copytree(unfinished_once, here / "half")
    return "half"


@pytest.fixture
def write_test_csv(here: Path) -> Callable[[str, Images], None]:
    """Writes Kaggle's test.csv: a header pixel0..pixel783 and a row for each image."""

    def write(name: str, images: Images) -> None:
        header = ",".join(f"pixel{i}" for i in range(784))
        rows = [",".join(map(str, row)) for row in images.reshape(len(images), -1).tolist()]
        (here / name).write_text("\n".join([header, *rows]) + "\n")

    return write
