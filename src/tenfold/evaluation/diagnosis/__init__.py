"""Why is the accuracy what it is? A model, arrays and a history in, findings out, heaviest first.

findings    the causes under stable names; a Finding; a Diagnosis
diagnose    the one function, and the table of rules
evidence    all that is looked at, each thing measured once: answers, probes, what pictures show
inputs, models, histories   whatever a stranger's script has -> one form each
pictures, probe, reference  preparation undone; closed-form Gaussians; real digits to compare with
data, direction, preparation, labels, split, leaks, structure, losses, rate, training, backend   rules: functions from Evidence to findings
fixes       code that mends what was found, in the names and forms of the arrays
outcome, inside   how a training came out; what only a Keras model in memory can tell

Knows nothing about files, and imports no Keras: a model is only looked at through itself.
"""

from tenfold.evaluation.diagnosis.diagnose import diagnose
from tenfold.evaluation.diagnosis.findings import CAUSES, Cause, Diagnosis, Finding

__all__ = ["CAUSES", "Cause", "Diagnosis", "Finding", "diagnose"]
