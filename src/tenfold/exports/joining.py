"""Trained models joined into one."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tenfold.classifiers import MAX_SHIFT, Ensemble, Shifted
from tenfold.errors import UsageError
from tenfold.exports.agreement import check_agreement
from tenfold.exports.describing import load_networks
from tenfold.files import check_free
from tenfold.modelfile import Model, OnnxClassifier, find_model, save_model
from tenfold.values import check_whole


def ensemble(models: Sequence[Path | str], *, out: Path | str, shifts: int | None = None) -> Path:
    """Join trained models into one model folder, which answers with the mean of their probabilities.

    Every network counts the same, those of a model that is an ensemble itself too. What any of them was
    trained on, the new model was trained on. It says "no digit" below the lowest threshold of its members;
    where one of them has none, it has none.

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
        # A mean of many is less sure than one of them: the most that any of them asks for would reject too much.
        reject_below=min(model.reject_below for model in loaded),
    )
    singly = [OnnxClassifier(to_onnx([member]), source="a member") for member in joined.members]
    whole = OnnxClassifier(to_onnx(joined.members, shifts=joined.shifts), source="the ensemble")
    check_agreement(Shifted(Ensemble(*singly), joined.shifts), whole)
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
        model = load_networks(path)
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
