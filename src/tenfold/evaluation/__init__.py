"""Classifiers and labelled digits in, judgements out. Knows nothing about training, files or engines."""

from tenfold.evaluation.judgement import Judgement, judge, judgement_of

__all__ = ["Judgement", "judge", "judgement_of"]
