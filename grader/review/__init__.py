"""Human review as data: who gave which points instead of the machine, when and why.

`record` keeps review.json beside a report, `results` finds the reports, `table` and `decisions` carry points to a
spreadsheet and back. Nothing here changes a report: `grader.reports.reviewed` puts both side by side.
"""
