"""Runs made by hand, and trainings that are over before they begin: nothing here trains."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tenfold.recipes import named_recipe
from tenfold.scaling import Plan, Repeat, repeat
from tenfold.training import EpochResult
from tenfold.training.run import FORMAT, seals, write_history, write_record

RECIPE = replace(named_recipe("seed-numpy"), epochs=3)
PLAN = Plan("seed-numpy", RECIPE, "mnist5k", {"train": "aa11", "test": "bb22"})

HISTORY = (
    EpochResult(1, 2.0, 0.9, 0.71, 0.5, 0.83),
    EpochResult(2, 0.5, 0.4, 0.86, 0.3, 0.91),
    EpochResult(3, 0.7, 0.2, 0.94, 0.6, 0.89),
)


def write_run(place: Path, plan: Plan, seed: int, **fields: Any) -> None:
    """A finished run; `correct` and `validated` are its counts of 10,000 and 800, other fields replace the record's."""
    validated = fields.pop("validated", 780)
    test = {"correct": fields.pop("correct", 9_700), "total": 10_000, "log_loss": 0.1}
    write_history(place, HISTORY)
    record = {
        "format": FORMAT,
        "status": "done",
        "started": "2026-11-22T20:00:00+00:00",
        **plan.json(),
        "engine": "numpy",
        "backend": "numpy",
        "precision": "float32",
        "seed": seed,
        "epochs": len(HISTORY),
        "results": {
            "validation": {"correct": validated, "total": 800, "log_loss": 0.2},
            "test": test if plan.data_hash["test"] else None,
        },
        "test_openings": 1 if plan.data_hash["test"] else 0,
        "seconds": {"setup": 0.25, "training": 3.0 + seed, "evaluation": 0.05, "total": 3.3 + seed},
        "versions": {"python": "3.11.9", "tenfold": "0.1.0"},
        "machine": {"processor": "an abacus", "cores": 2, "system": "Linux"},
        "files": seals(place),
    } | fields
    images = {"training": 3_200, "validation": 800, "test": 10_000}
    record["data"] = {**record["data"], "source": "digits made by hand", "images": images}
    write_record(place, record)


@dataclass
class Trainings:
    """Starts trainings that are over at the second look; `special` says which end otherwise.

    special: seed -> fields of its record, or what its process says as it dies without a run.
    """

    special: Mapping[int, dict[str, Any] | str] = field(default_factory=dict)
    started: list[int] = field(default_factory=list)
    environments: list[dict[str, str]] = field(default_factory=list)
    stopped: list[int] = field(default_factory=list)
    going_on: int = 0
    most_at_a_time: int = 0
    interrupt_at: int | None = None

    def __call__(self, plan: Plan, place: Path, seed: int, environment: Mapping[str, str]) -> "One":
        self.started.append(seed)
        self.environments.append(dict(environment))
        self.going_on += 1
        self.most_at_a_time = max(self.most_at_a_time, self.going_on)
        return One(self, plan, place, seed)


@dataclass
class One:
    """A training of `Trainings`."""

    all: Trainings
    plan: Plan
    place: Path
    seed: int
    looks: int = 0

    def ended(self) -> bool:
        if self.seed == self.all.interrupt_at:
            raise KeyboardInterrupt
        self.looks += 1
        return self.looks == 2

    def complaint(self) -> str:
        self.all.going_on -= 1
        special = self.all.special.get(self.seed, {})
        if isinstance(special, str):
            return special
        write_run(self.place, self.plan, self.seed, **special)
        return "The process ended with exit code 0. Its last words: none"

    def stop(self) -> None:
        self.all.stopped.append(self.seed)


MakeRepeat = Callable[..., Repeat]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenfold.scaling.processes.code_hash", lambda: "cc55")
    monkeypatch.setattr("tenfold.scaling.repeating._SECONDS_BETWEEN_LOOKS", 0)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)


@pytest.fixture
def make_repeat(tmp_path: Path) -> MakeRepeat:
    """make_repeat("a", {seed: correct}) -> a Repeat on disk; other arguments go to every record."""

    def make(
        name: str, counts: Mapping[int, int | str], *, plan: Plan = PLAN, **fields: Any
    ) -> Repeat:
        special = {
            seed: told if isinstance(told, str) else {"correct": told} | fields
            for seed, told in counts.items()
        }
        return repeat(
            plan, folder=tmp_path / name, seeds=list(counts), say=print, start=Trainings(special)
        )

    return make
