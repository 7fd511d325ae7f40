"""Grades every submission of a folder: finds them, runs their tasks in slots, keeps what is finished, writes it out.

`session.Batch` is the loop; the rest are its parts, one to a file. Nothing here runs candidate code or makes a verdict:
that is `pipeline`, and below it the judge.
"""
