"""Grades what a change to a git repository touches: `grader ci`, for pull requests and merge requests.

A change is as hostile as a submission. Git is asked in a way that runs nothing which the repository names, file names
are bytes of the other side, and what is published holds a candidate's copy unless somebody asks for more.
"""
