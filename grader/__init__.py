"""Grading of machine-learning interview submissions: hidden tests stay outside, candidate code runs alone.

This file stays free of imports: it is also part of the sandbox image, where nothing else of the
package exists but `grader.worker`.
"""

__version__ = "0.1.0"
