"""What in a picture an answer stands on, and which pictures a model holds to be alike.

occlusion   where blanking a patch costs the answer most: any Classifier
slopes      where a little more ink moves the answer: gradients, and their smoothed form
likeness    nearest training pictures and a map, by what the last layer looks at
explaining  all that concerns one picture, and it in words
"""

from tenfold.evaluation.explanations.explaining import Explanation, explain_each
from tenfold.evaluation.explanations.likeness import (
    DigitMap,
    Neighbour,
    Neighbourhood,
    map_of,
)
from tenfold.evaluation.explanations.occlusion import occlusion
from tenfold.evaluation.explanations.slopes import input_slopes, smooth_slopes

__all__ = [
    "DigitMap",
    "Explanation",
    "Neighbour",
    "Neighbourhood",
    "explain_each",
    "input_slopes",
    "map_of",
    "occlusion",
    "smooth_slopes",
]
