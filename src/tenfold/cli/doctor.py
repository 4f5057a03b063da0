"""`tenfold doctor`: what this machine has, what it lacks, and the command that mends it."""

import importlib.util
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tenfold.cli import console
from tenfold.cli.look import sources_text
from tenfold.cli.options import AsJson
from tenfold.errors import TenfoldError


class Finding(NamedTuple):
    """One thing that was looked at: what was found; False where it must be mended, and how."""

    name: str
    found: str
    good: bool = True
    mend: str = ""


def doctor(as_json: AsJson = False) -> None:
    """Check what tenfold needs on this machine.

    Versions, devices, optional packages, places to write and where digits can come from.

    Example: tenfold doctor
    """
    from tenfold.data import sources

    console.say("Asking Keras what it computes on; this takes a few seconds.")
    findings = list(_findings())
    if as_json:
        console.show_json(
            {
                "findings": [finding._asdict() for finding in findings],
                "sources": [source._asdict() for source in sources()],
            }
        )
    else:
        rows = [(f.name, "" if f.good else "MEND", f.found) for f in findings]
        console.show("\n\n".join([console.table(rows), sources_text()]))
    bad = [finding for finding in findings if not finding.good]
    if bad:
        raise TenfoldError(" ".join(f"{f.name}: {f.found}. {f.mend}" for f in bad))
    console.suggest(["tenfold", "train"])


def _findings() -> Iterator[Finding]:
    from tenfold.training.environment import machine, versions

    yield from (Finding(name, str(found)) for name, found in (versions() | machine()).items())
    yield from _devices()
    yield from _optional_backends()
    yield from _places()


def _devices() -> Iterator[Finding]:
    from tenfold.keras_engine import device_report

    try:
        report = device_report()
    except TenfoldError as error:
        yield Finding("backend", "Keras cannot be used", good=False, mend=str(error))
        return
    devices = ", ".join(report.devices)
    why = f"; no GPU: {report.no_gpu}" if report.no_gpu else ""
    yield Finding("backend", f"{report.backend} {report.version} on {devices}{why}")
    mixed = "bfloat16" if report.bfloat16 else "float32: nothing here is faster in bfloat16"
    yield Finding("mixed precision", f"computed in {mixed}")


def _optional_backends() -> Iterator[Finding]:
    for name in ("jax", "torch"):
        there = importlib.util.find_spec(name) is not None
        found = "installed" if there else f"not installed: pip install 'tenfold[{name}]'"
        yield Finding(f"backend {name}", found)


def _places() -> Iterator[Finding]:
    from tenfold.data.mnist import cache_path
    from tenfold.verbs import RUNS

    yield _writing("runs", RUNS.resolve(), "Start tenfold in a folder that you may write to.")
    yield _writing("cache", cache_path().parent, "Name another folder in TENFOLD_HOME.")


def _writing(name: str, folder: Path, mend: str) -> Finding:
    """Whether files can be made in a folder, or where it is not there yet, in the one it will be in."""
    import shutil

    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest) as file:
            file.write(b"tenfold")
    except OSError as error:
        found = f"{folder} cannot be written ({error.strerror or error})"
        return Finding(name, found, good=False, mend=mend)
    return Finding(name, f"{folder}, {shutil.disk_usage(nearest).free / 2**30:,.1f} GiB free")
