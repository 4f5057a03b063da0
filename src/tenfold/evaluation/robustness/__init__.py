"""How much of a Classifier's accuracy is left when the pictures are not as they were.

placing      a digit moved, turned, scaled, sheared
edges        Canny's edges
strokes      lines, spots and fog to lay over a picture
corruptions  the fifteen of MNIST-C
attacks      FGSM and PGD, for a model that can be seen inside
measuring    all of it counted: Robustness
"""

from tenfold.evaluation.robustness.corruptions import CORRUPTIONS
from tenfold.evaluation.robustness.measuring import (
    ATTACKED,
    Corrupted,
    Curve,
    Robustness,
    robustness_of,
)

__all__ = ["ATTACKED", "CORRUPTIONS", "Corrupted", "Curve", "Robustness", "robustness_of"]
