"""One tiny torch assignment in three forms, for what a harness itself costs: grader's, nbgrader's and pytest's.

The assignment is the one that `grader tasks new` begins with; the checks ask the same of the same functions.
"""
