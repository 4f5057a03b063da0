"""A Run: one training as a folder that a person, and the next version, can read.

    run.json               the commit point: status, recipe, seed, data, versions, machine, times, results,
                           and size and sha256 of every other file
    history.jsonl          one line an epoch
    model/                 model.json, weights.safetensors, model.onnx, manifest.json
    checkpoints/           the two newest
    teacher/               the run of the teacher, where the recipe names one
    test_predictions.csv   what the model said of each test image
    report.html, submission.csv    where they were asked for

Every file is checked against run.json before it is believed, and run.json against its own seal.
"""

import csv
import io
import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tenfold.digits import Digits
from tenfold.errors import CorruptFile, ModelError
from tenfold.evaluation import Judgement
from tenfold.files import (
    check_seal,
    locked,
    read_sealed,
    seal,
    write_bytes,
    write_sealed_json,
)
from tenfold.modelfile import OnnxClassifier, open_classifier
from tenfold.recipe import Recipe, recipe_from_json
from tenfold.statistics import Proportion
from tenfold.training.loop import EpochResult

FORMAT = 1
# Seconds in which another process has long written its change of the record.
PATIENCE = 10.0
RECORD = "run.json"
HISTORY = "history.jsonl"
MODEL = "model"
CHECKPOINTS = "checkpoints"
TEACHER = "teacher"
PREDICTIONS = "test_predictions.csv"

Record = dict[str, Any]
"""What run.json holds:

    format, status ("training", "done", "failed"), started (ISO 8601, UTC)
    recipe {name, value}, engine, backend, precision, seed, epochs (those done)
    data {name, source, hash {train, test}, images {training, validation, test}}
    results {validation, test}: null, or {correct, total, log_loss}; of the test part also
        corrected: null, or {correct, total} by the corrected labels of MNIST; temperature: null, or what the logits are
        divided by; rejection: null, or what is told of pictures without a digit
    test_openings: how often the test part was looked at; warnings: why its figure may say less than it seems
    parity: largest difference in probability between engine and ONNX model
    seconds {teacher where there is one, setup, training, evaluation, total}, versions, machine
    files: {path in the folder: {sha256, bytes}}
    failure: why, where the status is "failed"
"""


@dataclass(frozen=True)
class Run:
    """A finished training.

    Attributes:
        folder: where it stands.
        record: what run.json holds.
    """

    folder: Path
    record: Record

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.folder.resolve().name

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe it was trained with, overrides included."""
        return recipe_from_json(self.record["recipe"]["value"])

    @cached_property
    def history(self) -> tuple[EpochResult, ...]:
        """One EpochResult for each epoch."""
        lines = (self.folder / HISTORY).read_text().splitlines()
        return tuple(EpochResult(**json.loads(line)) for line in lines)

    @cached_property
    def classifier(self) -> OnnxClassifier:
        """The trained network, run by onnxruntime."""
        return open_classifier(self.folder)

    @property
    def test(self) -> Proportion | None:
        """Test images told correctly, or None where the data set has no test part."""
        return _proportion(self.record["results"]["test"])

    @property
    def corrected(self) -> Proportion | None:
        """The same by corrected labels (`evaluation.corrected`), or None where the data have none."""
        # Neither a run without a test part nor one from before there were such labels has the entry.
        return _proportion((self.record["results"]["test"] or {}).get("corrected"))

    @property
    def precision(self) -> str:
        """What training multiplied in convolutions and Dense layers: "float32" or "bfloat16"."""
        # A run from before there was a choice does not say.
        return str(self.record.get("precision", "float32"))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences that must stand wherever the test accuracy does."""
        return tuple(self.record.get("warnings", ()))

    @property
    def validation(self) -> Proportion | None:
        """Validation images told correctly, or None where nothing was set aside."""
        return _proportion(self.record["results"]["validation"])

    def test_judgement(self) -> Judgement | None:
        """What the model said of each test image when the test part was opened, or None without one."""
        path = self.folder / PREDICTIONS
        if PREDICTIONS not in self.record["files"]:
            return None
        rows = list(csv.DictReader(io.StringIO(path.read_text())))
        return Judgement(
            labels=np.array([int(row["label"]) for row in rows], np.uint8),
            predicted_labels=np.array([int(row["predicted"]) for row in rows], np.uint8),
            confidences=np.array([float(row["confidence"]) for row in rows], np.float32),
            log_loss=self.record["results"]["test"]["log_loss"],
        )

    def add(self, name: str, content: bytes) -> "Run":
        """Write one more file into the folder and put its seal on record."""
        sealed = {name: write_bytes(self.folder / name, content)}
        return self._changed(lambda record: {"files": record["files"] | sealed})

    def amend(self, **fields: Any) -> "Run":
        """The run with some fields of its record replaced, on disk too."""
        return self._changed(lambda _: fields)

    def count_opening(self, digits: Digits) -> "Run":
        """Once more on record as looked at, where `digits` are the test part of this run."""
        if digits.hash != self.record["data"]["hash"]["test"]:
            return self
        return self._changed(lambda record: {"test_openings": record["test_openings"] + 1})

    def _changed(self, fields: Callable[[Record], Record]) -> "Run":
        """Some fields of the record as it is on disk by now replaced: other commands write there too."""
        with locked(self.folder, patience=PATIENCE):
            record = read_record(self.folder)
            record |= fields(record)
            write_record(self.folder, record)
        return Run(self.folder, record)


def is_run(path: Path) -> bool:
    """Whether a run, finished or not, stands at `path`."""
    return (path / RECORD).exists()


def open_model(path: Path) -> tuple[Run | None, OnnxClassifier]:
    """The run at `path`, where it is one, and the Classifier of a run folder, a model folder or an .onnx file.

    Raises:
        ModelError: there is none; of a run that is not finished it says so.
        CorruptFile: as `open_run` and `open_classifier` say.
    """
    if is_run(path):
        run = open_run(path)
        return run, run.classifier
    return None, open_classifier(path)


def open_run(folder: Path | str) -> Run:
    """The finished run in `folder`, every file checked.

    Raises:
        ModelError: there is no run, or it is not finished.
        CorruptFile: a file of it is missing or damaged; the message names it.
    """
    folder = Path(folder)
    record = read_record(folder)
    if record["status"] == "failed":
        raise ModelError(
            f"{folder}: expected a finished run, received one that failed: {record['failure'].rstrip('.')}. "
            "Find out why with: "
            f"tenfold diagnose {shlex.quote(str(folder))}"
        )
    if record["status"] != "done":
        raise ModelError(
            f"{folder}: expected a finished run, received one with the status {record['status']!r}. "
            f"One that was interrupted goes on with: tenfold train --resume --out {shlex.quote(str(folder))}"
        )
    for name, expected in record["files"].items():
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            raise CorruptFile(
                f"{folder / RECORD}: expected files inside the run, received {name!r}."
            )
        check_seal(folder / name, expected)
    return Run(folder, record)


def read_record(folder: Path) -> Record:
    """What run.json in `folder` holds, once it agrees with its own seal."""
    path = folder / RECORD
    if not path.exists():
        found = f"one without {RECORD}" if folder.is_dir() else "a place where no folder is"
        raise ModelError(
            f"{folder}: expected a run folder, received {found}. Runs are made by: tenfold train"
        )
    return read_sealed(path, format_number=FORMAT)


def write_record(folder: Path, record: Record) -> None:
    """Put `record` and its sha256 into run.json: the commit point of whatever was written before."""
    write_sealed_json(folder / RECORD, record)


def write_history(folder: Path, history: tuple[EpochResult, ...]) -> None:
    """Write history.jsonl anew."""
    lines = "".join(json.dumps(result._asdict()) + "\n" for result in history)
    write_bytes(folder / HISTORY, lines.encode())


def write_predictions(folder: Path, judged: Judgement) -> None:
    """Write test_predictions.csv: the row of each test image, its label, the digit told and how surely."""
    columns = zip(judged.labels, judged.predicted_labels, judged.confidences, strict=True)
    rows = "".join(f"{i},{y},{told},{sure:.6f}\n" for i, (y, told, sure) in enumerate(columns))
    write_bytes(folder / PREDICTIONS, ("row,label,predicted,confidence\n" + rows).encode())


def seals(folder: Path) -> dict[str, Any]:
    """Size and sha256 of every file of a run but run.json and hidden ones, by path inside the folder."""
    paths = (p for p in sorted(folder.rglob("*")) if p.is_file() and not p.name.startswith("."))
    return {
        path.relative_to(folder).as_posix(): seal(path.read_bytes())
        for path in paths
        if path != folder / RECORD
    }


def _proportion(result: dict[str, Any] | None) -> Proportion | None:
    return None if result is None else Proportion(result["correct"], result["total"])
