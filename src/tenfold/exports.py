"""A network shown and passed on: the description of a recipe or a model, and its forms for other programs.

An export is not finished until it agrees with its source: nothing is written that tells other digits.
Knows nothing about how a form is written (`modelfile`, `keras_engine`).
"""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tenfold.data import load
from tenfold.digits import Classifier, Images, Probabilities
from tenfold.errors import ModelError, UsageError, lookup
from tenfold.files import check_target, write_bytes
from tenfold.modelfile import (
    Model,
    OnnxClassifier,
    check_parity,
    find_model,
    load_model,
    open_classifier,
    stress_images,
    to_script,
)
from tenfold.network import Network
from tenfold.recipe import Recipe
from tenfold.recipes import RECIPES, named_recipe
from tenfold.training import open_run
from tenfold.training.run import RECORD


@dataclass(frozen=True)
class Described:
    """A network, and how it is trained where that is known.

    Attributes:
        name: of the recipe, or of the model's folder where no recipe is known.
        network: the network.
        recipe: as it was trained, overrides included; None for a model folder outside its run.
    """

    name: str
    network: Network
    recipe: Recipe | None

    @property
    def known_recipe(self) -> Recipe:
        """The recipe, or ModelError where there is none."""
        if self.recipe is None:
            raise ModelError(
                f"{self.name}: expected a recipe or a run folder, received a model folder, which does not "
                "say how it is trained. Name the run it came from."
            )
        return self.recipe


def describe(what: Path | str) -> Described:
    """The network behind a name of `tenfold.RECIPES`, a run folder or a model folder."""
    path = Path(what)
    if str(what) in RECIPES or not path.exists():
        recipe = named_recipe(str(what))
        return Described(str(what), recipe.network, recipe)
    if (path / RECORD).exists():
        run = open_run(path)
        return Described(run.record["recipe"]["name"], run.recipe.network, run.recipe)
    return Described(path.resolve().name, _load(path).network, None)


def export(model: Path | str, form: str, *, out: Path | str | None = None) -> Path:
    """Write a model for other programs, once it agrees with the one it came from -> its path.

    Args:
        model: a run folder or a model folder; for "script" a run folder.
        form: "onnx" (one file for any ONNX runtime), "keras" (a .keras file; needs Keras), or "script" (the
            standalone Keras script that trains the same).
        out: the file to write; None is named after the model, here.

    Raises:
        UnknownName: no such form.
        UsageError: `out` is a folder, or has another ending than the form's files.
        ModelError: `model` does not hold what the form needs.
        ParityError: what would have been written tells other digits; nothing was written.
    """
    ending, write = lookup(EXPORTS, form, "export format")
    path = Path(model)
    target = check_target(Path(f"{path.resolve().name}{ending}" if out is None else out))
    if target.suffix != ending:
        raise UsageError(
            f"{target}: expected a name that ends in {ending}, as this form's files do."
        )
    write(path, target)
    return target


def _export_onnx(path: Path, target: Path) -> None:
    from tenfold.modelfile.onnx_graph import to_onnx

    model = _load(path)
    content = to_onnx(model.network, model.weights)
    _check_agreement(path, OnnxClassifier(content, source=str(target)))
    write_bytes(target, content)


def _export_keras(path: Path, target: Path) -> None:
    from tenfold.keras_engine import save_keras

    model = _load(path)
    with TemporaryDirectory() as folder:
        written = Path(folder, target.name)
        save_keras(written, model.network, weights=model.weights)
        _check_agreement(path, _KerasFile(written))
        write_bytes(target, written.read_bytes())


class _KerasFile:
    """What a person who opens the .keras file gets of it."""

    def __init__(self, path: Path) -> None:
        import keras

        self._model = keras.models.load_model(path)

    def predict_proba(self, images: Images) -> Probabilities:
        return np.asarray(self._model.predict(images, verbose=0))


def _export_script(path: Path, target: Path) -> None:
    described = describe(path)
    write_bytes(target, to_script(described.known_recipe, name=described.name).encode())


def _check_agreement(path: Path, exported: Classifier) -> None:
    images = stress_images(load("mnist5k").train.images)
    check_parity(open_classifier(path), exported, images)


EXPORTS = {
    "onnx": (".onnx", _export_onnx),
    "keras": (".keras", _export_keras),
    "script": (".py", _export_script),
}


def _load(path: Path) -> Model:
    """The network and weights at `path`, a run folder or a model folder."""
    if path.suffix == ".onnx":
        raise ModelError(
            f"{path}: expected a run folder or a model folder, received an .onnx file, which does not hold "
            "the network's description. Name the folder it came from."
        )
    if (path / RECORD).exists():
        # An unfinished run is called that, instead of a folder without a model.
        open_run(path)
    return load_model(find_model(path))
