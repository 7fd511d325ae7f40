"""What people and programs read of a `Report`. `as_json` is the record; every other form is made from its dict.

A writer sees no submission and no task, only the record, so that results can be shown again without grading again.
"""
