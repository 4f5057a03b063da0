"""Models shown, joined and passed on: what a recipe or a model is, an ensemble, forms for other programs.

    describing   a recipe or a model -> its networks, and how they are trained
    joining      several models -> one that takes their mean
    forms        a model -> a file or a folder for other programs; the table of them
    measuring    size, speed and accuracy of each form
    agreement    the check that nothing is written that tells other digits

Knows nothing about how a form is written (`modelfile`, `keras_engine`).
"""

from tenfold.exports.describing import Described, describe
from tenfold.exports.forms import FORMS, export
from tenfold.exports.joining import ensemble
from tenfold.exports.measuring import Measured, measure

__all__ = ["FORMS", "Described", "Measured", "describe", "ensemble", "export", "measure"]
