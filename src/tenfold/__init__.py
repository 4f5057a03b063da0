"""tenfold: train, judge, understand and use handwritten-digit classifiers.

    import tenfold

    run = tenfold.train("standard", "mnist", seed=0)
    print(run.test)
    probabilities = run.classifier.predict_proba(tenfold.load("mnist").test.images)

Importing it does no work and loads nothing heavy: a name's home is imported when the name is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

# For type checkers, which cannot follow __getattr__; a test holds this list and _NAMES together.
if TYPE_CHECKING:
    from tenfold.auditing import audit as audit
    from tenfold.augmentation import Cutout as Cutout
    from tenfold.augmentation import Elastic as Elastic
    from tenfold.augmentation import Rotate as Rotate
    from tenfold.augmentation import Scale as Scale
    from tenfold.augmentation import Shear as Shear
    from tenfold.augmentation import Shift as Shift
    from tenfold.classifiers import Ensemble as Ensemble
    from tenfold.classifiers import Shifted as Shifted
    from tenfold.data import load as load
    from tenfold.data import read_images as read_images
    from tenfold.digits import Classifier as Classifier
    from tenfold.digits import Digits as Digits
    from tenfold.digits import Parts as Parts
    from tenfold.errors import TenfoldError as TenfoldError
    from tenfold.evaluation import Audit as Audit
    from tenfold.evaluation import Diagnosis as Diagnosis
    from tenfold.evaluation import Explanation as Explanation
    from tenfold.evaluation import Judgement as Judgement
    from tenfold.evaluation import Robustness as Robustness
    from tenfold.evaluation import diagnose as diagnose
    from tenfold.evaluation import judge as judge
    from tenfold.exports import describe as describe
    from tenfold.exports import ensemble as ensemble
    from tenfold.exports import export as export
    from tenfold.insights import explain as explain
    from tenfold.insights import report as report
    from tenfold.insights import robustness as robustness
    from tenfold.layers import BatchNorm as BatchNorm
    from tenfold.layers import Conv2D as Conv2D
    from tenfold.layers import Dense as Dense
    from tenfold.layers import Dropout as Dropout
    from tenfold.layers import Flatten as Flatten
    from tenfold.layers import GlobalAveragePool as GlobalAveragePool
    from tenfold.layers import MaxPool as MaxPool
    from tenfold.layers import ReLU as ReLU
    from tenfold.layers import Residual as Residual
    from tenfold.layers import Whitening as Whitening
    from tenfold.modelfile import open_classifier as open_classifier
    from tenfold.modelfile import pretrained as pretrained
    from tenfold.network import Network as Network
    from tenfold.predictions import Prediction as Prediction
    from tenfold.predictions import Unread as Unread
    from tenfold.predictions import predict as predict
    from tenfold.predictions import predict_each as predict_each
    from tenfold.reading import Page as Page
    from tenfold.reading import read as read
    from tenfold.recipe import SGD as SGD
    from tenfold.recipe import Adam as Adam
    from tenfold.recipe import AdamW as AdamW
    from tenfold.recipe import Averaging as Averaging
    from tenfold.recipe import Constant as Constant
    from tenfold.recipe import Distillation as Distillation
    from tenfold.recipe import EarlyStopping as EarlyStopping
    from tenfold.recipe import NonDigits as NonDigits
    from tenfold.recipe import OneCycle as OneCycle
    from tenfold.recipe import Recipe as Recipe
    from tenfold.recipes import RECIPES as RECIPES
    from tenfold.reporting import compare as compare
    from tenfold.scaling import Repeat as Repeat
    from tenfold.scaling import compare_repeats as compare_repeats
    from tenfold.scaling import open_repeat as open_repeat
    from tenfold.statistics import Proportion as Proportion
    from tenfold.training import Run as Run
    from tenfold.training import open_run as open_run
    from tenfold.verbs import evaluate as evaluate
    from tenfold.verbs import repeat as repeat
    from tenfold.verbs import resume as resume
    from tenfold.verbs import submit as submit
    from tenfold.verbs import train as train

_NAMES = {
    "auditing": ("audit",),
    "augmentation": ("Cutout", "Elastic", "Rotate", "Scale", "Shear", "Shift"),
    "classifiers": ("Ensemble", "Shifted"),
    "data": ("load", "read_images"),
    "digits": ("Classifier", "Digits", "Parts"),
    "errors": ("TenfoldError",),
    "evaluation": (
        "Audit", "Diagnosis", "Explanation", "Judgement", "Robustness", "diagnose", "judge",
    ),
    "exports": ("describe", "ensemble", "export"),
    "insights": ("explain", "report", "robustness"),
    "layers": (
        "BatchNorm", "Conv2D", "Dense", "Dropout", "Flatten", "GlobalAveragePool", "MaxPool", "ReLU",
        "Residual", "Whitening",
    ),
    "modelfile": ("open_classifier", "pretrained"),
    "network": ("Network",),
    "predictions": ("Prediction", "Unread", "predict", "predict_each"),
    "reading": ("Page", "read"),
    "recipe": (
        "SGD", "Adam", "AdamW", "Averaging", "Constant", "Distillation", "EarlyStopping", "NonDigits",
        "OneCycle", "Recipe",
    ),
    "recipes": ("RECIPES",),
    "reporting": ("compare",),
    "scaling": ("Repeat", "compare_repeats", "open_repeat"),
    "statistics": ("Proportion",),
    "training": ("Run", "open_run"),
    "verbs": ("evaluate", "repeat", "resume", "submit", "train"),
}  # fmt: skip
_HOMES = {name: home for home, names in _NAMES.items() for name in names}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'tenfold' has no attribute {name!r}")
    return getattr(import_module(f"tenfold.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]
