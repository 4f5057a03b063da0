"""Classifiers and labelled digits in, judgements out. Knows nothing about training, files or engines.

judgement   how good a Classifier is, in all, digit by digit, what it takes for what, how well it knows
corrected   the same of MNIST's test part by corrected labels, and without the doubtful ones
audit       which labels are likely to be wrong
leaks       what makes an accuracy suspicious, in sentences
diagnosis   why an accuracy is what it is: any model, arrays and history -> findings
"""

from tenfold.evaluation.audit import Audit, Issue, audit_labels, out_of_fold
from tenfold.evaluation.corrected import cleaned, corrected
from tenfold.evaluation.diagnosis import Diagnosis, Finding, diagnose
from tenfold.evaluation.judgement import Confused, Judgement, judge, judgement_of
from tenfold.evaluation.leaks import count_seen, leak_warnings

__all__ = [
    "Audit",
    "Confused",
    "Diagnosis",
    "Finding",
    "Issue",
    "Judgement",
    "audit_labels",
    "cleaned",
    "corrected",
    "count_seen",
    "diagnose",
    "judge",
    "judgement_of",
    "leak_warnings",
    "out_of_fold",
]
