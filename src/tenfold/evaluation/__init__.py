"""Classifiers and labelled digits in, judgements out. Knows nothing about training, files or engines.

judgement   how good a Classifier is, in all, digit by digit, what it takes for what, how well it knows
corrected   the same of MNIST's test part by corrected labels, and without the doubtful ones
audit       which labels are likely to be wrong
leaks       what makes an accuracy suspicious, in sentences
diagnosis   why an accuracy is what it is: any model, arrays and history -> findings
whitebox    networks and weights -> gradients in the pixels, hidden layers, filters
robustness  what is left of an accuracy when pictures are corrupted, moved or attacked
explanations    what in a picture an answer stands on, and what the model holds to be alike
"""

from tenfold.evaluation.audit import Audit, Issue, audit_labels, out_of_fold
from tenfold.evaluation.corrected import cleaned, corrected
from tenfold.evaluation.diagnosis import Diagnosis, Finding, diagnose
from tenfold.evaluation.explanations import (
    DigitMap,
    Explanation,
    Neighbourhood,
    explain_each,
    map_of,
)
from tenfold.evaluation.judgement import Confused, Judgement, judge, judgement_of
from tenfold.evaluation.leaks import count_seen, leak_warnings
from tenfold.evaluation.robustness import ATTACKED, CORRUPTIONS, Curve, Robustness, robustness_of
from tenfold.evaluation.whitebox import Filters, WhiteBox

__all__ = [
    "ATTACKED",
    "Audit",
    "CORRUPTIONS",
    "Confused",
    "Curve",
    "Diagnosis",
    "DigitMap",
    "Explanation",
    "Filters",
    "Finding",
    "Issue",
    "Judgement",
    "Neighbourhood",
    "Robustness",
    "WhiteBox",
    "audit_labels",
    "cleaned",
    "corrected",
    "count_seen",
    "diagnose",
    "explain_each",
    "judge",
    "judgement_of",
    "leak_warnings",
    "map_of",
    "out_of_fold",
    "robustness_of",
]
