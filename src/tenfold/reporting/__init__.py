"""Finished runs in; a table that compares them, or one self-contained HTML page about one, out. Audits too.

comparison  two or more runs -> a table of what was measured, and a paired test
code_lines  Python source -> how many of its lines are code
report      one run -> report.html in its folder, laid out by report.html.jinja
findings    one run -> what the page shows of its mistakes, and what it advises
audited     an audit of labels -> its list as CSV and JSON, and a picture of the worst
chart       series over epochs -> the coordinates of a line chart
"""

from tenfold.reporting.audited import write_audit
from tenfold.reporting.comparison import Comparison, compare
from tenfold.reporting.report import write_report

__all__ = ["Comparison", "compare", "write_audit", "write_report"]
