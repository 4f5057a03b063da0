"""Classifiers and labelled digits in, judgements out. Knows nothing about training, files or engines.

judgement   how good a Classifier is, in all, digit by digit, and what it takes for what
corrected   the same of MNIST's test part by the labels that people corrected
leaks       what makes an accuracy suspicious, in sentences
diagnosis   why an accuracy is what it is: any model, arrays and history -> findings
"""

from tenfold.evaluation.corrected import corrected
from tenfold.evaluation.diagnosis import Diagnosis, Finding, diagnose
from tenfold.evaluation.judgement import Judgement, judge, judgement_of
from tenfold.evaluation.leaks import count_seen, leak_warnings

__all__ = [
    "Diagnosis",
    "Finding",
    "Judgement",
    "corrected",
    "count_seen",
    "diagnose",
    "judge",
    "judgement_of",
    "leak_warnings",
]
