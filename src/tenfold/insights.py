"""What a model can take, and why it answers as it does: the verbs `robustness` and `explain`.

Joins a model, seen from outside and from inside, with digits, judging and figures; decides only how many
pictures are taken, and what the files are called.
"""

import json
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from tenfold.data import load, load_or_embedded, to_stderr
from tenfold.digits import Classifier, Digits, Images, Parts, check_images
from tenfold.errors import ModelError, UsageError
from tenfold.evaluation import (
    ATTACKED,
    Explanation,
    Neighbourhood,
    Robustness,
    WhiteBox,
    explain_each,
    judge,
    map_of,
    robustness_of,
)
from tenfold.evaluation.explanations.likeness import FEWEST_ON_MAP
from tenfold.files import check_free, check_target, write_bytes, write_json
from tenfold.modelfile import PRETRAINED, find_model, load_model
from tenfold.randomness import check_seed
from tenfold.reporting import (
    by_chance,
    comparison_page,
    confidence_figure,
    confusion_figure,
    corruption_figure,
    explanation_figure,
    filters_figure,
    judged_part,
    learning_figure,
    map_figure,
    rendered,
    robustness_figure,
    write_report,
)
from tenfold.training import Run, open_model, open_run
from tenfold.training.environment import machine, versions
from tenfold.values import check_whole

IMAGES = 1_000
MOST_EXPLAINED = 20
# Enough for every form of a digit that writers commonly use, and searched in a second or two.
SEARCHED = 10_000
MAPPED = 1_500


class Explained(NamedTuple):
    """What `explain` gives.

    Attributes:
        explanations: one for each picture.
        files: what was written, in the order of the sentences; empty without `out`.
    """

    explanations: tuple[Explanation, ...]
    files: tuple[Path, ...]


class _Seen(NamedTuple):
    """A model from outside and, where that can be, from inside."""

    name: str
    run: Run | None
    classifier: Classifier
    box: WhiteBox | None


def report(
    run: Path | str,
    data: Parts | None = None,
    *,
    figures: Path | str | None = None,
    say: Callable[[str], None] = to_stderr,
) -> Run:
    """Write a run's report.html anew, and its figures as files.

    Args:
        run: the folder of a finished run.
        data: the digits it was made from; None loads them by the name on record.
        figures: a new or empty folder for learning, confusion and confidence as .png and .svg; the last two need
            a test part or validation images.
        say: told where the digits came from.

    Raises:
        ModelError, CorruptFile: no run there, or a damaged one.
        DataError: the digits are not those of the run.
        UsageError: `figures` is taken.
    """
    if figures is not None:
        check_free(Path(figures))
    opened = open_run(Path(run))
    parts = data if data is not None else parts_for(run, say=say)
    if parts.test is not None:
        opened = opened.count_opening(parts.test)
    written = write_report(opened, parts)
    if figures is not None:
        drawn = {"learning": learning_figure(written)}
        digits = judged_part(written, parts)
        if digits is not None:
            judged = judge(written.classifier, digits)
            drawn["confusion"] = confusion_figure(judged, title=written.name)
            drawn["confidence"] = confidence_figure(judged, title=written.name)
        for name, figure in drawn.items():
            write_bytes(Path(figures) / f"{name}.png", rendered(figure, "png"))
            write_bytes(Path(figures) / f"{name}.svg", rendered(figure, "svg"))
    return written


def robustness(
    model: Path | str | None,
    digits: Digits,
    *,
    images: int = IMAGES,
    attacked: int = ATTACKED,
    seed: int = 0,
    out: Path | str | None = None,
    say: Callable[[str], None] = to_stderr,
) -> Robustness:
    """Measure what is left of a model's accuracy when pictures are corrupted, moved, turned, scaled or attacked.

    Args:
        model: a run folder, a model folder or an .onnx file; None is the model in the box.
        digits: labelled pictures.
        images: at most so many of them are taken, by chance.
        attacked: at most so many of these are attacked, which costs most of the time; 0 for none. An .onnx
            file is not attacked, since it cannot be seen inside.
        seed: decides which pictures, and all chance in what is done to them.
        out: a new or empty folder for robustness.json, which is a record with seed, hash, versions and
            machine, robustness.png and .svg, and corruptions.png.
        say: called with remarks.

    Raises:
        UsageError: a number cannot be right, or `out` is taken.
        ModelError, CorruptFile: no model there, or a damaged one.
        DataError: the digits have no labels.
    """
    check_seed(seed)
    check_whole("images", images, 2, 10**9)
    check_whole("attacked", attacked, 0, 10**9)
    if out is not None:
        check_free(Path(out))
    seen = _seen(model)
    if seen.box is None and attacked:
        say(f"{seen.name}: an .onnx file cannot be seen inside, so nothing is attacked.")
    if seen.run:
        seen.run.count_opening(digits)
    some = by_chance(digits, images, seed)
    found = robustness_of(seen.classifier, some, box=seen.box, seed=seed, attacked=attacked)
    if out is not None:
        folder = Path(out)
        figure = robustness_figure(found, title=seen.name)
        record = {
            "model": str(model or "pretrained"),
            "date": date.today().isoformat(),
            "versions": versions(),
            "machine": machine(),
        }
        write_json(folder / "robustness.json", record | found.json())
        write_bytes(folder / "robustness.png", rendered(figure, "png"))
        write_bytes(folder / "robustness.svg", rendered(figure, "svg"))
        gallery = corruption_figure(some.images, seed=seed)
        write_bytes(folder / "corruptions.png", rendered(gallery, "png"))
    return found


def explain(
    model: Path | str | None,
    images: Images,
    *,
    labels: Sequence[int | None] | None = None,
    data: Parts | None = None,
    out: Path | str | None = None,
    svg: bool = False,
    seed: int = 0,
) -> Explained:
    """Explain what a model told of pictures, and draw what it looks for and what it holds to be alike.

    Args:
        model: a run folder, a model folder or an .onnx file (of which only occlusion tells); None is the
            model in the box.
        images: uint8 (n, 28, 28), at most 20.
        labels: what they show, None where nobody has said.
        data: its training part is searched for pictures that are alike (at most 10,000, by chance), its test
            part drawn on a map (at most 1,500, by chance).
        out: a new or empty folder for a figure of each picture, of the first layer's filters and of the map,
            and explanations.json. Filters are left out where the first layer does not look at pixels, and the map where
            there are fewer than 90 pictures; standard error says so.
        svg: write every figure as .svg too.
        seed: decides the noise of SmoothGrad, which pictures are searched and drawn, and the map.

    Raises:
        UsageError: there are too many pictures or not as many labels, or `out` is taken.
        ModelError, CorruptFile: no model there, or a damaged one.
        DataError: `images` are no pictures, or `data` has no labels.
    """
    check_seed(seed)
    images = check_images(images)
    if len(images) > MOST_EXPLAINED:
        raise UsageError(
            f"explain: expected at most {MOST_EXPLAINED} pictures, received {len(images)}. Take a few of them."
        )
    known: list[int | None] = [None] * len(images) if labels is None else list(labels)
    if len(known) != len(images):
        raise UsageError(
            f"explain: expected a label or None for each of {len(images)} pictures, received {len(known)}."
        )
    if out is not None:
        check_free(Path(out))
    seen = _seen(model)
    near = None
    if seen.box and data:
        near = Neighbourhood(seen.box, by_chance(data.train, SEARCHED, seed))
    found = explain_each(
        seen.classifier, images, labels=known, box=seen.box, neighbourhood=near, seed=seed
    )
    files = _write(Path(out), seen, found, data, svg=svg, seed=seed) if out is not None else []
    return Explained(tuple(found), tuple(files))


def write_comparison(runs: Sequence[Run], out: Path | str, parts: Parts | None = None) -> None:
    """Write the page about several runs; see `reporting.comparison_page`.

    Args:
        runs: two or more finished ones.
        out: the file.
        parts: the digits that the first was trained and tested on, of which every model made from them is asked: one
            more opening of the test part on its record. None leaves that out.

    Raises:
        UsageError: fewer than two runs, or `out` is no place for a file.
        DataError: the file cannot be written.
    """
    target = check_target(Path(out))
    if parts is not None and parts.test is not None:
        runs = [run.count_opening(parts.test) for run in runs]
    write_bytes(target, comparison_page(runs, parts).encode())


def parts_for(
    model: Path | str | None, data: str | None = None, *, say: Callable[[str], None] = to_stderr
) -> Parts:
    """The data set that belongs to a model.

    Args:
        model: as for `explain`.
        data: a name or "kind:path" of `tenfold.load`. None is what a run was trained on, else MNIST, and
            where no source of it can be reached the 5,000 digits of "mnist5k".
        say: told where the digits came from.
    """
    run = open_model(Path(model))[0] if model is not None else None
    # "own" stands on record where data were given as values.
    if data is None and run and run.record["data"]["name"] != "own":
        data = run.record["data"]["name"]
    return load_or_embedded(say=say)[1] if data is None else load(data, say=say)


def _seen(model: Path | str | None) -> _Seen:
    path = PRETRAINED if model is None else Path(model)
    run, classifier = open_model(path)
    name = "the model in the box" if model is None else path.resolve().name
    if path.suffix == ".onnx":
        return _Seen(name, run, classifier, None)
    inside = load_model(find_model(path))
    return _Seen(name, run, classifier, WhiteBox(inside.members, shifts=inside.shifts))


def _write(
    folder: Path, seen: _Seen, found: list[Explanation], data: Parts | None, *, svg: bool, seed: int
) -> list[Path]:
    figures = {
        f"explanation-{number}": explanation_figure(one) for number, one in enumerate(found, 1)
    }
    if seen.box:
        more = len(seen.box.members) - 1
        title = seen.name + (f", first of {more + 1} networks" if more else "")
        try:
            figures["filters"] = filters_figure(seen.box.filters(), title=title)
        except ModelError as error:
            to_stderr(f"No figure of filters: {error}")
        part = data and (data.train if data.test is None else data.test)
        if part and len(part) < FEWEST_ON_MAP:
            to_stderr(
                f"No map: it takes at least {FEWEST_ON_MAP} pictures, and there are {len(part)}."
            )
        elif part:
            if seen.run:
                seen.run.count_opening(part)
            drawn = map_of(seen.box, by_chance(part, MAPPED, seed), seed=seed)
            figures["map"] = map_figure(drawn, title=seen.name)
    files = []
    for name, figure in figures.items():
        files.append(folder / f"{name}.png")
        write_bytes(files[-1], rendered(figure, "png"))
        if svg:
            files.append(folder / f"{name}.svg")
            write_bytes(files[-1], rendered(figure, "svg"))
    files.append(folder / "explanations.json")
    write_bytes(files[-1], (json.dumps([one.json() for one in found], indent=2) + "\n").encode())
    return files
