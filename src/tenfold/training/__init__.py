"""A recipe, digits and a seed in, a Run folder out. Does not know which engine it drives."""

from tenfold.training.diagnosing import diagnose_run
from tenfold.training.loop import EpochResult
from tenfold.training.run import Run, is_run, open_model, open_run, read_record
from tenfold.training.train import resume, train

__all__ = [
    "EpochResult",
    "Run",
    "diagnose_run",
    "is_run",
    "open_model",
    "open_run",
    "read_record",
    "resume",
    "train",
]
