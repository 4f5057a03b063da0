"""What the runs of a repeat gave, as a value that prints itself, its failures and warnings included."""

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from tenfold.scaling.plan import Plan
from tenfold.scaling.processes import Attempt
from tenfold.statistics import Proportion, Summary, summarise
from tenfold.training import Run


class Accuracy(NamedTuple):
    """What each run told correctly of one part.

    The t-interval of `mean` says where the mean over all seeds may be, on these images; the interval
    of `pooled` what chance there is in so many answers. Neither speaks of other images.
    """

    counts: tuple[Proportion, ...]

    @property
    def mean(self) -> Summary:
        """Over the runs, in 0..1."""
        return summarise([count.share for count in self.counts])

    @property
    def pooled(self) -> Proportion:
        """The answers of all runs together."""
        return Proportion(
            sum(count.successes for count in self.counts), sum(count.total for count in self.counts)
        )

    def __str__(self) -> str:
        mean = self.mean
        if mean.n == 1:
            return f"{self.pooled}, n = 1: one run says nothing of the spread"
        return (
            f"{mean.mean:.3%} mean of n = {mean.n} (sd {mean.sd:.3%}; 95 % CI {mean.low:.3%} to "
            f"{mean.high:.3%}; lowest {mean.minimum:.2%}, highest {mean.maximum:.2%})"
        )


@dataclass(frozen=True)
class Repeat:
    """One recipe with many seeds.

    Attributes:
        folder: where it stands.
        plan: what the runs have in common.
        seeds: all that were ever asked for, in order.
        runs: the finished ones, in the order of their seeds.
        failed: seed -> why, for those that failed.
        attempts: seed -> the processes that worked at its run.
    """

    folder: Path
    plan: Plan
    seeds: tuple[int, ...]
    runs: tuple[Run, ...] = ()
    failed: Mapping[int, str] = field(default_factory=dict)
    attempts: Mapping[int, tuple[Attempt, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.folder.resolve().name

    @property
    def finished(self) -> tuple[int, ...]:
        """The seeds of the finished runs."""
        return tuple(run.record["seed"] for run in self.runs)

    @property
    def unfinished(self) -> tuple[int, ...]:
        """The seeds that neither finished nor failed."""
        return tuple(s for s in self.seeds if s not in self.finished and s not in self.failed)

    @property
    def backend(self) -> str | None:
        """What computes; None before anything was."""
        return self.runs[0].record["backend"] if self.runs else None

    @property
    def precision(self) -> str | None:
        """What the trainings multiplied; None before anything was."""
        return self.runs[0].precision if self.runs else None

    @property
    def test(self) -> Accuracy | None:
        """Test images told correctly; None without a test part, or a run."""
        return _accuracy(run.test for run in self.runs)

    @property
    def corrected(self) -> Accuracy | None:
        """Test images told correctly by corrected labels; None where the digits have none."""
        return _accuracy(run.corrected for run in self.runs)

    @property
    def validation(self) -> Accuracy | None:
        """Validation images told correctly; None where nothing was set aside, or without a run."""
        return _accuracy(run.validation for run in self.runs)

    @property
    def test_openings(self) -> tuple[int, ...]:
        """How often each run has opened the test part."""
        return tuple(run.record["test_openings"] for run in self.runs)

    @property
    def seconds_per_epoch(self) -> Summary | None:
        """Of the runs' median epochs; None without a run."""
        medians = [statistics.median(epoch.seconds for epoch in run.history) for run in self.runs]
        return summarise(medians) if medians else None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the figures should know before believing them."""
        return tuple(_warnings(self))

    def with_outcome(self, seed: int, found: Run | str | None) -> "Repeat":
        """The repeat with what has become of a seed: its Run, why it failed, or nothing yet."""
        failed = {s: why for s, why in self.failed.items() if s != seed}
        runs = {run.record["seed"]: run for run in self.runs if run.record["seed"] != seed}
        if isinstance(found, str):
            failed[seed] = found
        elif found is not None:
            runs[seed] = found
        return replace(self, failed=failed, runs=tuple(runs[s] for s in sorted(runs)))

    def with_attempt(self, seed: int, attempt: Attempt) -> "Repeat":
        """The repeat with one more process that works at the run of a seed."""
        attempts = (*self.attempts.get(seed, ()), attempt)
        return replace(self, attempts={**self.attempts, seed: attempts})

    def with_seconds(self, seed: int, seconds: float) -> "Repeat":
        """The repeat with how long the last process took that worked at the run of a seed."""
        *before, last = self.attempts[seed]
        attempts = (*before, last._replace(seconds=seconds))
        return replace(self, attempts={**self.attempts, seed: attempts})

    def place(self, seed: int) -> Path:
        """The run folder of a seed."""
        return self.folder / f"seed-{seed}"

    @property
    def seconds(self) -> dict[str, Summary]:
        """Seconds of each stage of a run ("setup", "training", "evaluation", "total"); empty without one.

        "process" is the whole process, imports and report included; there where each run had but one.
        """
        stages = self.runs[0].record["seconds"] if self.runs else ()
        seconds = {stage: [run.record["seconds"][stage] for run in self.runs] for stage in stages}
        attempts = [self.attempts.get(seed, ()) for seed in self.finished]
        whole = [a[0].seconds for a in attempts if len(a) == 1 and a[0].seconds is not None]
        if whole and len(whole) == len(self.runs):
            seconds["process"] = whole
        return {stage: summarise(found) for stage, found in seconds.items()}

    def json(self) -> dict[str, Any]:
        """Plain JSON values, all that is known but where it stands."""
        plan = self.plan.json()
        run = self.runs[0].record if self.runs else None
        images = {"images": run["data"]["images"]} if run else {}
        seconds = {f"{stage}_seconds": _json(found) for stage, found in self.seconds.items()}
        return {
            "recipe": plan["recipe"],
            "engine": self.plan.recipe.engine,
            "backend": self.backend,
            "precision": self.precision,
            "epochs": self.plan.recipe.epochs,
            "data": plan["data"] | images,
            "seeds": list(self.seeds),
            "failed": [{"seed": seed, "reason": why} for seed, why in sorted(self.failed.items())],
            "warnings": list(self.warnings),
            "test_accuracy": _json(self.test and self.test.mean),
            "pooled": _pooled_json(self.test),
            "corrected_accuracy": _json(self.corrected and self.corrected.mean),
            "corrected_pooled": _pooled_json(self.corrected),
            "validation_accuracy": _json(self.validation and self.validation.mean),
            "validation_pooled": _pooled_json(self.validation),
            "test_openings": list(self.test_openings),
            "seconds_per_epoch": _json(self.seconds_per_epoch),
            **seconds,
            "runs": [_run_json(run) for run in self.runs],
            "attempts": [
                {"seed": seed} | attempt._asdict()
                for seed, attempts in sorted(self.attempts.items())
                for attempt in attempts
            ],
            "machine": run and run["machine"],
            "versions": run and run["versions"],
        }

    def __str__(self) -> str:
        rows = list(_rows(self))
        width = max(len(label) for label, _ in rows)
        return "\n".join(f"{label:{width}}  {text}" for label, text in rows)


def seeds_in_words(seeds: Iterable[int]) -> str:
    """(0, 1, 2, 5) -> "0 to 2, 5"."""
    spans: list[list[int]] = []
    for seed in sorted(seeds):
        if spans and seed == spans[-1][-1] + 1:
            spans[-1] = [spans[-1][0], seed]
        else:
            spans.append([seed])
    return ", ".join(" to ".join(map(str, span)) for span in spans) or "none"


def _accuracy(counts: Iterable[Proportion | None]) -> Accuracy | None:
    known = tuple(count for count in counts if count is not None)
    return Accuracy(known) if known else None


def _json(summary: Summary | None) -> dict[str, Any] | None:
    return None if summary is None else summary.json()


def _pooled_json(accuracy: Accuracy | None) -> dict[str, Any] | None:
    if accuracy is None:
        return None
    pooled = accuracy.pooled
    return {"correct": pooled.successes, "total": pooled.total, "interval": list(pooled.interval())}


def _run_json(run: Run) -> dict[str, Any]:
    record = run.record
    kept = {key: record[key] for key in ("seed", "seconds", "epochs", "test_openings")}
    return {**kept, **record["results"]}


def _warnings(repeat: Repeat) -> Iterable[str]:
    """What each run warns of, and one sentence for each condition that the runs do not share."""
    for run in repeat.runs:
        yield from (f"Seed {run.record['seed']}: {sentence}" for sentence in run.warnings)
    attempts = [a for run in repeat.finished for a in repeat.attempts.get(run, ())]
    conditions: dict[str, list[Any]] = {
        "versions of packages": [run.record["versions"] for run in repeat.runs],
        "backends": [run.record["backend"] for run in repeat.runs],
        "precisions": [run.precision for run in repeat.runs],
        "machines": [run.record["machine"] for run in repeat.runs],
        "code of tenfold": [attempt.code for attempt in attempts],
        "numbers of processes at a time": [(attempt.jobs, attempt.threads) for attempt in attempts],
    }
    for what, values in conditions.items():
        if any(value != values[0] for value in values):
            yield f"The runs were not all made alike: different {what}."


def _rows(repeat: Repeat) -> Iterable[tuple[str, str]]:
    """What a person reads: a label and a text, line by line."""
    recipe, plan = repeat.plan.recipe, repeat.plan
    yield "recipe", f"{plan.name}: engine {recipe.engine}, epochs {recipe.epochs}"
    yield "data", f"{plan.data} (training part {(plan.data_hash['train'] or '')[:8]})"
    yield (
        "seeds",
        f"{seeds_in_words(repeat.seeds)}: {len(repeat.runs)} finished, {len(repeat.failed)} failed",
    )
    parts = {
        "test accuracy": repeat.test,
        "by corrected labels": repeat.corrected,
        "validation accuracy": repeat.validation,
    }
    for label, accuracy in parts.items():
        if accuracy is not None:
            yield label, str(accuracy)
            if len(accuracy.counts) > 1:
                yield "  all runs together", str(accuracy.pooled)
    if repeat.runs:
        seconds = {stage: _seconds(summary) for stage, summary in repeat.seconds.items()}
        whole = f"; whole process {seconds['process']}" if "process" in seconds else ""
        yield "time of a run", f"{seconds['total']}, of which training {seconds['training']}{whole}"
        yield "test part opened", f"{sum(repeat.test_openings)} times in {len(repeat.runs)} runs"
    yield "repeat", str(repeat.folder)
    yield from ((f"seed {seed} failed", why) for seed, why in sorted(repeat.failed.items()))
    yield from (("warning", warning) for warning in repeat.warnings)


def _seconds(summary: Summary) -> str:
    spread = "" if math.isnan(summary.sd) else f" (sd {summary.sd:.1f})"
    return f"{summary.mean:.1f} s{spread}"
