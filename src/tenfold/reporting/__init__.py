"""Finished runs in; a table that compares them, or one self-contained HTML page about one, out. Audits and figures too.

comparison  two or more runs -> a table of what was measured, and a paired test; comparison_page: a page of it
code_lines  Python source -> how many of its lines are code
report      one run -> report.html in its folder, laid out by report.html.jinja
closer      one run, asked more -> how sure it is, what it can take, what it looks at, what is wrong
findings    one run -> what the page shows of its mistakes, and what it advises
audited     an audit of labels -> its list as CSV and JSON, and a picture of the worst
chart       series -> the coordinates of a line chart
pages       a template and its values -> a page; inline: pixels -> a picture that stands in one
drawing     a sheet of matplotlib -> PNG or SVG
run_figures, robustness_figures, explanation_figures    a run and what `evaluation` found, drawn
"""

from tenfold.reporting.audited import write_audit
from tenfold.reporting.closer import by_chance, judged_part
from tenfold.reporting.comparison import Comparison, compare
from tenfold.reporting.comparison_page import comparison_page
from tenfold.reporting.drawing import rendered
from tenfold.reporting.explanation_figures import explanation_figure, filters_figure, map_figure
from tenfold.reporting.report import write_report
from tenfold.reporting.robustness_figures import corruption_figure, robustness_figure
from tenfold.reporting.run_figures import confidence_figure, confusion_figure, learning_figure

__all__ = [
    "Comparison",
    "by_chance",
    "compare",
    "comparison_page",
    "confidence_figure",
    "confusion_figure",
    "corruption_figure",
    "explanation_figure",
    "filters_figure",
    "judged_part",
    "learning_figure",
    "map_figure",
    "rendered",
    "robustness_figure",
    "write_audit",
    "write_report",
]
