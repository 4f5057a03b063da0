"""Checkpoints: a training's Progress as one file, complete in itself, checked before it is believed.

The file's name carries its epoch and the beginning of its sha256, so one rename commits it and a
damaged one is noticed without any second file. The two newest are kept; an older one goes only after
a newer one stands.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tenfold.engine import State
from tenfold.errors import CorruptFile
from tenfold.files import seal, write_bytes
from tenfold.training.loop import EpochResult, Progress

KEPT = 2
_NAME = re.compile(r"epoch-(\d{6})-([0-9a-f]{16})\.safetensors")
_STATE, _BEST = "state/", "best/"


def save_checkpoint(folder: Path, progress: Progress) -> Path:
    """Write `progress` into `folder` and drop all but the two newest -> the new file."""
    from safetensors.numpy import save

    arrays = {_STATE + name: array for name, array in progress.state.items()}
    arrays |= {_BEST + name: array for name, array in (progress.best or {}).items()}
    # safetensors writes an array's memory as it lies there, whatever its strides say.
    arrays = {name: np.array(array, order="C") for name, array in arrays.items()}
    history = json.dumps([result._asdict() for result in progress.history])
    content = save(arrays, metadata={"history": history})
    name = f"epoch-{len(progress.history):06d}-{seal(content)['sha256'][:16]}.safetensors"
    write_bytes(folder / name, content)
    for old in _newest_first(folder)[KEPT:]:
        old.unlink()
    return folder / name


def load_checkpoint(folder: Path, *, say: Callable[[str], None]) -> Progress | None:
    """The newest undamaged checkpoint, or None where none was ever written.

    A damaged one is named through `say` and the one before it is taken.

    Raises:
        CorruptFile: there are checkpoints, and all of them are damaged.
    """
    damaged = []
    for path in _newest_first(folder):
        try:
            return _read(path)
        except CorruptFile as error:
            say(str(error))
            damaged.append(path.name)
    if damaged:
        raise CorruptFile(
            f"{folder}: expected an undamaged checkpoint, received {', '.join(damaged)}. "
            "Delete the run's folder and train again: the same seed gives the same weights."
        )
    return None


def _read(path: Path) -> Progress:
    from safetensors import SafetensorError, safe_open
    from safetensors.numpy import load

    content = path.read_bytes()
    match = _NAME.fullmatch(path.name)
    if match is None or not seal(content)["sha256"].startswith(match[2]):
        raise CorruptFile(
            f"{path}: the checkpoint's content is not what its name says; it is damaged."
        )
    try:
        arrays = load(content)
        with safe_open(path, framework="numpy") as file:
            history = json.loads(file.metadata()["history"])
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise CorruptFile(
            f"{path}: expected a checkpoint, received something else ({error})."
        ) from error
    return Progress(
        history=tuple(EpochResult(**line) for line in history),
        state=_part(arrays, _STATE),
        best=_part(arrays, _BEST) or None,
    )


def _part(arrays: State, prefix: str) -> State:
    return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}


def _newest_first(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted((p for p in folder.iterdir() if _NAME.fullmatch(p.name)), reverse=True)
