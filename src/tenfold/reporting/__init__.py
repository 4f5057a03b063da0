"""Finished runs in; a table that compares them, or one self-contained HTML page about one, out. Audits and figures too.

comparison  two or more runs -> a table of what was measured, and a paired test
code_lines  Python source -> how many of its lines are code
report      one run -> report.html in its folder, laid out by report.html.jinja
findings    one run -> what the page shows of its mistakes, and what it advises
audited     an audit of labels -> its list as CSV and JSON, and a picture of the worst
chart       series over epochs -> the coordinates of a line chart
drawing     a sheet of matplotlib -> PNG or SVG
robustness_figures, explanation_figures    what `evaluation` found, drawn
"""

from tenfold.reporting.audited import write_audit
from tenfold.reporting.comparison import Comparison, compare
from tenfold.reporting.drawing import rendered
from tenfold.reporting.explanation_figures import explanation_figure, filters_figure, map_figure
from tenfold.reporting.report import write_report
from tenfold.reporting.robustness_figures import corruption_figure, robustness_figure

__all__ = [
    "Comparison",
    "compare",
    "corruption_figure",
    "explanation_figure",
    "filters_figure",
    "map_figure",
    "rendered",
    "robustness_figure",
    "write_audit",
    "write_report",
]
