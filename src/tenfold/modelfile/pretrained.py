"""The model in the box: a small trained model that the package brings, so that it can be used as installed.

The folder beside this file is a model folder like any other, made by `make model` from a run of a named
recipe on MNIST; `record.json` in it is what that run measured. Knows nothing about how it was trained.
"""

from functools import cache
from pathlib import Path

from tenfold.modelfile.classifier import OnnxClassifier, open_classifier

PRETRAINED = Path(__file__).with_name("pretrained")


@cache
def pretrained() -> OnnxClassifier:
    """The classifier that tenfold brings along, opened once.

    Raises:
        CorruptFile: the installation is damaged; the message names the file.
    """
    return open_classifier(PRETRAINED)
