"""Models shown, joined and passed on: what a recipe or a model is, an ensemble, forms for other programs.

Nothing is finished until it agrees with its source: nothing is written that tells other digits.
Knows nothing about how a form is written (`modelfile`, `keras_engine`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from tenfold.classifiers import MAX_SHIFT, Ensemble, Shifted
from tenfold.data import load
from tenfold.digits import Classifier, Images, Probabilities
from tenfold.errors import ModelError, UsageError, lookup
from tenfold.files import check_free, check_target, write_bytes
from tenfold.modelfile import (
    Model,
    OnnxClassifier,
    check_parity,
    describe_members,
    find_model,
    load_model,
    open_classifier,
    save_model,
    stress_images,
    to_script,
)
from tenfold.network import Network
from tenfold.recipe import Recipe
from tenfold.recipes import RECIPES, named_recipe
from tenfold.training import is_run, open_run
from tenfold.values import check_whole


@dataclass(frozen=True)
class Described:
    """Networks, and how they are trained where that is known.

    Attributes:
        name: of the recipe, or of the model's folder where no recipe is known.
        networks: one, or the several of an ensemble.
        shifts: the pixels of the test-time shifts, 0 for none.
        recipe: as it was trained, overrides included; None for a model folder outside its run.
        reject_below: what the finished model rejects; see `modelfile.Model`. A recipe alone cannot say: 0.
    """

    name: str
    networks: tuple[Network, ...]
    shifts: int
    recipe: Recipe | None
    reject_below: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The recipe; where none is known, what the model folder says. Plain JSON values."""
        if self.recipe:
            return self.recipe.to_json()
        return describe_members(self.networks, self.shifts, self.reject_below)

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
    """The networks behind a name of `tenfold.RECIPES`, a run folder or a model folder."""
    path = Path(what)
    if str(what) in RECIPES or not path.exists():
        return _described(str(what), named_recipe(str(what)))
    if is_run(path):
        run = open_run(path)
        return _described(run.record["recipe"]["name"], run.recipe)
    model = _load(path)
    networks = tuple(network for network, _ in model.members)
    return Described(path.resolve().name, networks, model.shifts, None, model.reject_below)


def ensemble(models: Sequence[Path | str], *, out: Path | str, shifts: int | None = None) -> Path:
    """Join trained models into one model folder, which answers with the mean of their probabilities.

    Every network counts the same, those of a model that is an ensemble itself too. What any of them was
    trained on, the new model was trained on.

    Args:
        models: run folders or model folders, at least one, each once.
        out: the model folder, new or empty.
        shifts: pixels, 0..4: the mean is also taken over each picture moved so far to each side, at five
            times the cost. None is what the models themselves do, where they all do the same.

    Raises:
        UsageError: no model, one twice, shifts that differ or are none, or `out` is not free.
        ModelError: there is no model at one of the places, or only an .onnx file.
        ParityError: the new model tells other digits than its members; nothing was written.
    """
    from tenfold.modelfile.onnx_graph import to_onnx

    paths, target = [Path(model) for model in models], Path(out)
    _check_target_folder(target)
    if shifts is not None:
        check_whole("shifts", shifts, 0, MAX_SHIFT)
    loaded = _load_each_once(paths)
    joined = Model(
        members=tuple(member for model in loaded for member in model.members),
        trained_on=np.concatenate([model.trained_on for model in loaded]),
        about={"members": ", ".join(path.resolve().name for path in paths)},
        shifts=_common_shifts(paths, loaded) if shifts is None else shifts,
    )
    singly = [OnnxClassifier(to_onnx([member]), source="a member") for member in joined.members]
    whole = OnnxClassifier(to_onnx(joined.members, shifts=joined.shifts), source="the ensemble")
    _check_agreement(Shifted(Ensemble(*singly), joined.shifts), whole)
    save_model(target, joined)
    return target


def _check_target_folder(target: Path) -> None:
    if target.suffix == ".onnx":
        raise UsageError(
            f"{target}: expected a model folder to write, received the name of an .onnx file. "
            "`tenfold export` makes one of the folder."
        )
    check_free(target)


def _load_each_once(paths: Sequence[Path]) -> list[Model]:
    if not paths:
        raise UsageError(
            "ensemble: expected at least one run folder or model folder, received none."
        )
    models: dict[Path, Model] = {}
    for path in paths:
        model = _load(path)
        if models.setdefault(find_model(path).resolve(), model) is not model:
            raise UsageError(
                f"ensemble: expected different models, received {path} twice. Name another one."
            )
    return list(models.values())


def _common_shifts(paths: Sequence[Path], models: Sequence[Model]) -> int:
    if len({model.shifts for model in models}) > 1:
        received = ", ".join(f"{p}: {m.shifts}" for p, m in zip(paths, models, strict=True))
        raise UsageError(
            f"ensemble: expected models with the same test-time shifts, received {received}. "
            "Say with shifts (--shifts) what the ensemble is to do."
        )
    return models[0].shifts


def _described(name: str, recipe: Recipe) -> Described:
    networks = (recipe.network,) * recipe.members
    return Described(name, networks, recipe.test_time_shifts, recipe)


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
    content = to_onnx(model.members, shifts=model.shifts, reject_below=model.reject_below)
    _check_agreement(open_classifier(path), OnnxClassifier(content, source=str(target)))
    write_bytes(target, content)


def _export_keras(path: Path, target: Path) -> None:
    from tenfold.keras_engine import save_keras

    model = _load(path)
    with TemporaryDirectory() as folder:
        written = Path(folder, target.name)
        save_keras(written, model.members, shifts=model.shifts)
        _check_agreement(open_classifier(path), _KerasFile(written))
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


def _check_agreement(source: Classifier, written: Classifier) -> None:
    check_parity(source, written, stress_images(load("mnist5k").train.images))


EXPORTS = {
    "onnx": (".onnx", _export_onnx),
    "keras": (".keras", _export_keras),
    "script": (".py", _export_script),
}


def _load(path: Path) -> Model:
    """The networks and weights at `path`, a run folder or a model folder."""
    if path.suffix == ".onnx":
        raise ModelError(
            f"{path}: expected a run folder or a model folder, received an .onnx file, which does not hold "
            "the description of a network. Name the folder it came from."
        )
    if is_run(path):
        # An unfinished run is called that, instead of a folder without a model.
        open_run(path)
    return load_model(find_model(path))
