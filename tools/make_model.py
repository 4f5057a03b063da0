"""Make the model in the box: train `everyday` on MNIST, and put its model, record and card into the package.

usage: python tools/make_model.py [RUN]

RUN is where the training goes, runs/pretrained where none is named; one that is there already is taken, and
one that was interrupted is gone on with.
"""

import shutil
import sys
from pathlib import Path

import tenfold
from tenfold.errors import DataError, TenfoldError
from tenfold.files import write_bytes, write_json
from tenfold.modelfile import PRETRAINED
from tenfold.statistics import Proportion
from tenfold.training.run import RECORD, Record, Run, read_record

RECIPE = "everyday"

CARD = """# The model in the box

Tells the handwritten digits 0 to 9 apart, and says when a picture shows none of them. It is what `tenfold read`,
`predict` and `serve` use where no other model is named.

| | |
|---|---|
| made by | `make model`: recipe `{recipe}`, seed {seed}, tenfold {version} |
| trained on | MNIST's training part, {training:,} images, and drawings made by code: digits in forms that MNIST's writers seldom used, and pictures that show no digit; on nothing else |
| size | {parameters:,} parameters; `model.onnx` has {size:,} bytes |
| accuracy on MNIST's 10,000 test images | {test} |
| the same by corrected labels | {corrected} |
| log loss there | {log_loss:.4f} nats, after a temperature of {temperature:.3f} found on the validation part |
| says "not a digit" where its confidence is below | {below:.3f} |
| newly drawn letters, signs, scribbles, noise and damaged digits that it takes for digits | {accepted} |
| validation digits that it takes for no digit | {refused} |

A picture must be in the form MNIST's have, which `tenfold.pictures.canonical` makes of any picture of one digit.
Not for anything where a wrong digit does harm and nobody looks again. Letters that are written like a digit (O, I,
S, Z, ...) are taken for one. Nothing printed was
trained on.

`record.json` is the record of the training: versions, machine, the hash of the data, every setting.
"""


def main(folder: Path) -> None:
    """Train, or take the run that is there, and write what the package brings."""
    run = _trained(folder)
    if run.record["data"]["name"] != "mnist" or run.record["recipe"]["name"] != RECIPE:
        raise DataError(
            f"{folder}: expected a run of {RECIPE} on mnist, received one of "
            f"{run.record['recipe']['name']} on {run.record['data']['name']}."
        )
    model = run.folder / "model"
    PRETRAINED.mkdir(exist_ok=True)
    for path in sorted(model.iterdir()):
        shutil.copyfile(path, PRETRAINED / path.name)
    write_json(PRETRAINED / "record.json", _public(run.record))
    write_bytes(PRETRAINED / "README.md", card(run).encode())
    sys.stdout.write(f"{PRETRAINED}\n")


def _public(record: Record) -> Record:
    """The record of a run, without what is true in its own folder only: its other files, where its data lay."""
    data = record["data"] | {"source": Path(record["data"]["source"]).name}
    return {name: value for name, value in record.items() if name != "files"} | {"data": data}


def _trained(folder: Path) -> Run:
    if (folder / RECORD).exists():
        done = read_record(folder)["status"] == "done"
        return tenfold.open_run(folder) if done else tenfold.resume(folder)
    return tenfold.train(RECIPE, "mnist", seed=0, out=folder)


def card(run: Run) -> str:
    """The model card: what the record says, for people."""
    results = run.record["results"]
    rejection, told = results["rejection"], results["rejection"]["validation"]
    return CARD.format(
        recipe=run.record["recipe"]["name"],
        seed=run.record["seed"],
        version=run.record["versions"]["tenfold"],
        training=run.record["data"]["images"]["training"],
        parameters=run.recipe.parameter_count,
        size=(run.folder / "model" / "model.onnx").stat().st_size,
        test=run.test,
        corrected=run.corrected,
        log_loss=results["test"]["log_loss"],
        temperature=results["temperature"],
        below=rejection["below"],
        accepted=Proportion(rejection["non_digits"]["accepted"], rejection["non_digits"]["total"]),
        refused=Proportion(told["total"] - told["accepted"], told["total"]),
    )


if __name__ == "__main__":
    try:
        main(Path(*sys.argv[1:]) if sys.argv[1:] else Path("runs/pretrained"))
    except TenfoldError as error:
        raise SystemExit(str(error)) from None
