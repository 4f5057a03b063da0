"""A repeat on disk.

OUT/repeat.json                sealed: the plan, the seeds, what they gave, which failed and why
OUT/seed-0, OUT/seed-1, ...    the runs
"""

from pathlib import Path

from tenfold.errors import CorruptFile, ModelError
from tenfold.files import read_sealed, write_sealed_json
from tenfold.scaling.plan import plan_from_json
from tenfold.scaling.processes import Attempt
from tenfold.scaling.result import Repeat, seeds_in_words
from tenfold.training import Run, open_run, read_record
from tenfold.training.run import RECORD

FORMAT = 1
REPEAT = "repeat.json"


def is_repeat(folder: Path) -> bool:
    """Whether a repeat, finished or not, stands at `folder`."""
    return (folder / REPEAT).exists()


def open_repeat(folder: Path | str) -> Repeat:
    """The repeat in `folder`, every file of its runs checked; a damaged run counts as failed.

    Raises:
        ModelError: there is none, or seeds of it have neither finished nor failed.
        CorruptFile: repeat.json is damaged.
        UsageError: a run in it does not belong there.
    """
    noted = read_repeat(Path(folder))
    repeat = noted
    for seed in noted.seeds:
        repeat = repeat.with_outcome(seed, outcome(noted, seed) or noted.failed.get(seed))
    if repeat.unfinished:
        raise ModelError(
            f"{folder}: expected a finished repeat, received one whose seeds "
            f"{seeds_in_words(repeat.unfinished)} are not finished. The command it was started with goes on."
        )
    return repeat


def read_repeat(folder: Path) -> Repeat:
    """What repeat.json in `folder` says, without the runs."""
    path = folder / REPEAT
    if not path.exists():
        raise ModelError(
            f"{folder}: expected the folder of a repeat, received one without {REPEAT}. "
            "Repeats are made by: tenfold repeat"
        )
    found = read_sealed(path, format_number=FORMAT)
    repeat = Repeat(
        folder,
        plan_from_json(found),
        seeds=tuple(found["seeds"]),
        failed={entry["seed"]: entry["reason"] for entry in found["failed"]},
    )
    for entry in found["attempts"]:
        seed = entry.pop("seed")
        repeat = repeat.with_attempt(seed, Attempt(**entry))
    return repeat


def write_repeat(repeat: Repeat) -> None:
    """Put the repeat into its repeat.json."""
    write_sealed_json(repeat.folder / REPEAT, {"format": FORMAT} | repeat.json())


def outcome(repeat: Repeat, seed: int) -> Run | str | None:
    """What has become of a seed: its Run, why it failed for good, or None where it can begin or go on.

    Raises:
        UsageError: a run stands there that does not belong to the repeat.
    """
    place = repeat.place(seed)
    if not (place / RECORD).exists():
        return None
    try:
        record = read_record(place)
        repeat.plan.check_run(place, record, seed=seed)
        if record["status"] == "failed":
            return str(record["failure"])
        return open_run(place) if record["status"] == "done" else None
    except (CorruptFile, ModelError) as error:
        return str(error)
