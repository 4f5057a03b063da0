"""Classifiers and labelled digits in, judgements out. Knows nothing about training, files or engines.

judgement   how good a Classifier is, in all, digit by digit, and what it takes for what
corrected   the same of MNIST's test part by the labels that people corrected
leaks       what makes an accuracy suspicious, in sentences
diagnosis   why an accuracy is what it is: any model, arrays and history -> findings
whitebox    networks and weights -> gradients in the pixels, hidden layers, filters
robustness  what is left of an accuracy when pictures are corrupted, moved or attacked
explanations    what in a picture an answer stands on, and what the model holds to be alike
"""

from tenfold.evaluation.corrected import corrected
from tenfold.evaluation.diagnosis import Diagnosis, Finding, diagnose
from tenfold.evaluation.explanations import (
    DigitMap,
    Explanation,
    Neighbourhood,
    explain_each,
    map_of,
)
from tenfold.evaluation.judgement import Judgement, judge, judgement_of
from tenfold.evaluation.leaks import count_seen, leak_warnings
from tenfold.evaluation.robustness import ATTACKED, CORRUPTIONS, Curve, Robustness, robustness_of
from tenfold.evaluation.whitebox import Filters, WhiteBox

__all__ = [
    "ATTACKED",
    "CORRUPTIONS",
    "Curve",
    "Diagnosis",
    "DigitMap",
    "Explanation",
    "Filters",
    "Finding",
    "Judgement",
    "Neighbourhood",
    "Robustness",
    "WhiteBox",
    "corrected",
    "count_seen",
    "diagnose",
    "explain_each",
    "judge",
    "judgement_of",
    "leak_warnings",
    "map_of",
    "robustness_of",
]
