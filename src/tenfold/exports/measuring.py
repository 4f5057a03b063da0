"""What each form of a model costs and gives: size, time and accuracy, measured side by side."""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tenfold.data import to_stderr
from tenfold.digits import Classifier, Digits, Images
from tenfold.errors import MissingExtra, UsageError
from tenfold.evaluation import count_seen, judge
from tenfold.exports.describing import load_networks
from tenfold.exports.forms import FORMS, Form, Say, Source, judged_on
from tenfold.modelfile import PRETRAINED
from tenfold.statistics import Proportion

SINGLES = 30
BATCH = 256
SECONDS = 1.0


@dataclass(frozen=True)
class Measured:
    """One form of a model.

    Attributes:
        form: a name of `FORMS`.
        bytes: of the file, or of all files of the folder.
        seconds_for_one: median of SINGLES calls with one picture, the model open; None where it does not run here.
        pictures_per_second: in batches of BATCH; None likewise.
        accuracy: on what `measure` was given; None likewise.
        missing: why there is nothing to measure, or "".
    """

    form: str
    bytes: int
    seconds_for_one: float | None = None
    pictures_per_second: float | None = None
    accuracy: Proportion | None = None
    missing: str = ""


def measure(model: Path | str | None = None, *, say: Say = to_stderr) -> Iterator[Measured]:
    """Every form of a model, made, checked and measured one after the other; nothing is left on the disk.

    Args:
        model: a run folder or a model folder; None is the model in the box.
        say: told what the accuracy was measured on.

    Raises:
        ModelError, CorruptFile: as `export`.
        ParityError: a form tells other digits than the model.
    """
    source = Source(PRETRAINED if model is None else Path(model), lambda _: None)
    trained_on = load_networks(source.path).trained_on
    name, test = judged_on(source)
    seen = count_seen(test.images, trained_on)
    about = f"; {seen:,} of them were trained on" if seen else ""
    say(
        f"Accuracy: {len(test):,} pictures of {name}{about}. Speed: this machine, all at its own settings."
    )
    for form, entry in FORMS.items():
        # A script is no model, but how to train one.
        if form != "script":
            yield _measured(source, form, entry, test)


def _measured(source: Source, form: str, entry: Form, test: Digits) -> Measured:
    try:
        content = entry.make(source)
        if not isinstance(content, bytes):
            return Measured(form, sum(map(len, content.values())), missing="runs in a browser")
        size = len(content)
        if entry.open is None:
            return Measured(form, size)
        classifier = entry.open(content)
    # Keras on a backend that does not convert, or a runtime that is not installed.
    except (MissingExtra, UsageError) as error:
        return Measured(form, 0, missing=str(error))
    one, many = _timed(classifier, test.images)
    return Measured(form, size, one, many, judge(classifier, test).accuracy)


def _timed(classifier: Classifier, images: Images) -> tuple[float, float]:
    """(seconds for one picture, pictures a second in batches), after a first call of each."""
    batch = images[:BATCH]
    classifier.predict_proba(batch)
    singles = [_seconds(classifier, images[k : k + 1]) for k in range(SINGLES + 1)][1:]
    batches = [_seconds(classifier, batch)]
    while sum(batches) < SECONDS:
        batches.append(_seconds(classifier, batch))
    return statistics.median(singles), len(batch) / statistics.median(batches)


def _seconds(classifier: Classifier, images: Images) -> float:
    start = time.perf_counter()
    classifier.predict_proba(images)
    return time.perf_counter() - start
