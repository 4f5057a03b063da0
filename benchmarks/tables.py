"""The tables and the session in README.md, made from the records in results/.

usage: python benchmarks/tables.py [--check]

Text between `<!-- NAME -->` and `<!-- /NAME -->` in README.md is what the function of that name makes of
its record. With --check nothing is written, and a difference is an error: no number is typed by hand.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import speed

from tenfold import RECIPES, Proportion

# The original network's record holds two recipes and its peers.
LADDER_ELSEWHERE = ("seed", "seed-numpy")

# What pages of a folder of photos are called in results/pages.json, before its name.
PHOTOS = "photos "

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DIAGNOSIS = ROOT / "docs" / "diagnosis.md"
JUDGEMENT = ROOT / "docs" / "judgement.md"


def record(name: str) -> dict[str, Any]:
    """The JSON record results/NAME.json."""
    return dict(json.loads(path_of(name).read_text()))


def path_of(name: str) -> Path:
    """Where the record stands, or would."""
    return ROOT / "results" / f"{name}.json"


def speed_beside_peers() -> str:
    """What `make bench` has measured so far."""
    return speed.table(lambda name: record(name) if path_of(name).exists() else None)


def seed_accuracy() -> str:
    """Accuracy and time of the original network with both engines."""
    measured = record("seed")
    rows = [
        "| recipe | test accuracy, mean (sd) of the runs | lowest | all runs together | an epoch | 100 epochs |",
        "|---|---|---|---|---|---|",
    ]
    for recipe, found in measured["accuracy"].items():
        test = found["test_accuracy"]
        pooled = Proportion(found["pooled"]["correct"], found["pooled"]["total"])
        rows.append(
            f"| `{recipe}` | {test['mean']:.2%} ({test['sd']:.2%}), n = {test['n']} "
            f"| {test['minimum']:.2%} | {pooled} | {found['seconds_per_epoch']['median']:.2f} s "
            f"| {found['training_seconds']['median']:.0f} s |"
        )
    return "\n".join([*rows, "", _footing(measured)])


def ladder() -> str:
    """Every recipe that has a record of its own: what it reached over its seeds, and in what time."""
    rows = [
        "| recipe | parameters | kFLOP an image | test accuracy, mean (sd) of the runs | lowest to highest "
        "| all runs together | by corrected labels | training | whole process |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    footings = []
    for name, named in RECIPES.items():
        recipe = named.recipe
        if name in LADDER_ELSEWHERE or not path_of(name).exists():
            continue
        found = record(name)
        test, pooled = found["test_accuracy"], found["pooled"]
        told = Proportion(pooled["correct"], pooled["total"])
        rows.append(
            f"| `{name}` | {recipe.parameter_count:,} | {recipe.flops / 1000:,.0f} "
            f"| {test['mean']:.3%} ({test['sd']:.3%}), n = {test['n']} "
            f"| {test['minimum']:.2%} to {test['maximum']:.2%} | {told} "
            f"| {found['corrected_accuracy']['mean']:.3%} "
            f"| {found['training_seconds']['median']:.1f} s | {_process_seconds(found)} |"
        )
        footings.append(_footing(found))
    return "\n".join([*rows, "", *sorted(set(footings))])


def _process_seconds(found: dict[str, Any]) -> str:
    """The median whole process; nothing where one was stopped, and went on in another."""
    return f"{found['process_seconds']['median']:.0f} s" if "process_seconds" in found else ""


def kaggle() -> str:
    """The recipes that have been measured on a split like Kaggle's, a line each."""
    lines, footings = [], []
    for name in RECIPES:
        if path_of(f"{name}-kaggle").exists():
            found = record(f"{name}-kaggle")
            test, pooled = found["test_accuracy"], found["pooled"]
            lines.append(
                f"- `{name}`: mean {test['mean']:.3%} (sd {test['sd']:.3%}, n = {test['n']}); all runs together "
                f"{Proportion(pooled['correct'], pooled['total'])}"
            )
            footings.append(_footing(found))
    return "\n".join([*lines, "", *sorted(set(footings))])


def seed_epoch() -> str:
    """Seconds of an epoch beside what else a user could run."""
    measured = record("seed")
    epoch = measured["epoch"]
    best = min(way["seconds"]["median"] for way in epoch["ways"].values())
    rows = [
        f"| {epoch['images']:,} images, batch {epoch['batch_size']} | an epoch, median (lowest to highest) "
        "| times the fastest | first epoch, compiling |",
        "|---|---|---|---|",
    ]
    for name, way in sorted(epoch["ways"].items(), key=lambda item: item[1]["seconds"]["median"]):
        s = way["seconds"]
        rows.append(
            f"| {name} | {s['median']:.2f} s ({s['minimum']:.2f} to {s['maximum']:.2f}) "
            f"| {s['median'] / best:.1f} | {way['first_epoch_seconds']:.1f} s |"
        )
    return "\n".join([*rows, "", _footing(measured)])


def _footing(measured: dict[str, Any]) -> str:
    machine, versions = measured["machine"], measured["versions"]
    named = {"tensorflow-cpu": "TensorFlow", "keras": "Keras", "jax": "JAX", "numpy": "NumPy"}
    used = ", ".join(f"{name} {versions[key]}" for key, name in named.items() if key in versions)
    in_what = ", computed in bfloat16" if measured.get("precision") == "bfloat16" else ""
    cores = "1 core" if machine["cores"] == 1 else f"{machine['cores']} cores"
    return (
        f"{cores} ({machine['processor']}), Python {versions['python']}, {used}{in_what}; "
        f"`{measured['claim']}`, {measured['date']}."
    )


def own_digits() -> str:
    """Digits of other sets told right: as a first program shows them to the network, and in canonical form."""
    found, pages = record("own_digits"), record("pages")
    rows = ["| pictures | resized to 28x28 | in canonical form |", "|---|---|---|"]
    for name, ways in found["sets"].items():
        told = [
            Proportion(ways[way]["right"], ways[way]["digits"]) for way in ("resized", "canonical")
        ]
        rows.append(f"| {name.replace('_', ' ')} | {told[0].share:.1%} | {told[1]} |")
    mnist = Proportion(found["mnist"]["canonical"]["right"], found["mnist"]["canonical"]["digits"])
    as_it_is = found["mnist"]["as it is"]["right"] / found["mnist"]["as it is"]["digits"]
    rows.append(f"| MNIST's own test part | {as_it_is:.1%} | {mnist} |")
    speeds = {name: one["median"] for name, one in found["pictures_a_second"].items()}
    drawn = [one for name, one in pages["results"].items() if not name.startswith(PHOTOS)]
    lines = [
        f"Canonical forms of 100x100 pictures a second, on one core: {speeds['clean']:,.0f} of clean ones, "
        f"{speeds['photographed']:,.0f} of photographed ones.",
        "",
        *(
            f"Read on the phone photos of `{name.removeprefix(PHOTOS)}`: {_digits_read(one)}."
            for name, one in pages["results"].items()
            if name.startswith(PHOTOS)
        ),
        f"Read on {len(drawn)} kinds of drawn pages: "
        f"{_digits_read({k: sum(one[k] for one in drawn) for k in ('right', 'digits', 'lines', 'lines_found')})}; "
        f"of the same digits, each drawn alone, {sum(one['alone'] for one in drawn):,} are told right.",
    ]
    return "\n".join([*rows, "", *lines, "", _footing(found), _footing(pages)])


def _digits_read(found: dict[str, Any]) -> str:
    digits = Proportion(found["right"], found["digits"])
    return f"digits {digits}, lines {found['lines_found']:,} of {found['lines']:,}"


def why_81() -> str:
    """What the original network reaches with each planted fault, and what a diagnosis named first."""
    found = record("why_81")
    rows = ["| planted | test accuracy | named first |", "|---|---|---|"]
    for name, one in found["faults"].items():
        told = Proportion(one["correct"], one["total"])
        rows.append(f"| {name} | {told} | {_named(one)} |")
    about = f"{found['images']:,} training images, {found['epochs']} epochs, one seed."
    return "\n".join([*rows, "", about, _footing(found)])


def _named(one: dict[str, Any]) -> str:
    return f"`{one['named']}`" if one["named"] else "nothing"


def plantings() -> str:
    """How often a diagnosis names what was planted first, and how often it blames what is sound."""
    found = record("diagnosis")
    rows = [
        "| backend, seed | planted faults named first | named otherwise | sound scripts without a fault "
        "| CPU seconds, median and most |",
        "|---|---|---|---|---|",
    ]
    for run, one in found["runs"].items():
        backend, _, seed = run.partition(":")
        sound = one["healthy"] - len(one["healthy_with_faults"])
        rows.append(
            f"| {backend}, {seed} | {Proportion(one['named_first'], one['planted'])} "
            f"| {_otherwise(one)} | {sound} of {one['healthy']} "
            f"| {one['cpu_seconds_median']:.1f}, {one['cpu_seconds_most']:.1f} |"
        )
    return "\n".join([*rows, "", _footing(found)])


def _otherwise(one: dict[str, Any]) -> str:
    told = (
        f"{name}: {', '.join(f'`{cause}`' for cause in causes[:1]) or 'nothing'}"
        for name, causes in one["named_otherwise"].items()
    )
    return "; ".join(told) or "none"


def wrong_labels() -> str:
    """How many of the planted and of the known wrong labels an audit has among its first."""
    found = record("wrong_labels")
    ranges = sorted({(one["low"], one["high"]) for one in found["planted"]})
    titles = [f"another digit told at {low:.0%} to {high:.0%}" for low, high in ranges]
    rows = [
        f"| recipe | {' | '.join(titles)} | doubted by people |",
        "|" + "---|" * (len(ranges) + 2),
    ]
    for recipe, known in found["doubted_by_people"].items():
        means = [
            ", ".join(
                f"{one['mean']:.1f}"
                for one in found["planted"]
                if (one["recipe"], one["low"], one["high"]) == (recipe, *bounds)
            )
            for bounds in ranges
        ]
        last = max(known["places"].values())
        people = f"{known['among_first']}; all of them among the first {last}"
        rows.append(f"| `{recipe}` | {' | '.join(means)} | {people} |")
    return "\n".join([*rows, "", _footing(found)])


def session() -> str:
    """The first session, as it was printed."""
    return f"```console\n{(ROOT / 'results' / 'session.txt').read_text()}```"


TABLES: dict[str, Callable[[], str]] = {
    "session": session,
    "ladder": ladder,
    "kaggle": kaggle,
    "own-digits": own_digits,
    "seed-accuracy": seed_accuracy,
    "seed-epoch": seed_epoch,
    "speed": speed_beside_peers,
}


def filled(text: str, tables: dict[str, Callable[[], str]]) -> str:
    """The text with every one of the tables made anew."""
    for name, table in tables.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, found, rest = text.partition(start)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise SystemExit(f"expected a place for the table {name!r}, found none.")
        text = before + start + table() + "\n" + end + after
    return text


def main(check: bool) -> None:
    """Fill the pages, or hold them against the records."""
    for page, tables in (
        (README, TABLES),
        (DIAGNOSIS, {"why-81": why_81, "plantings": plantings}),
        (JUDGEMENT, {"wrong-labels": wrong_labels}),
    ):
        text = page.read_text()
        made = filled(text, tables)
        if made == text:
            continue
        if check:
            raise SystemExit(
                f"{page.name}: a table differs from its record. Run: python benchmarks/tables.py"
            )
        page.write_text(made)


if __name__ == "__main__":
    main(check=sys.argv[1:] == ["--check"])
