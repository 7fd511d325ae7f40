"""The commands of `grader`, grouped by whom they serve; `grader.cli` puts them together.

Modules that take time to import are imported inside the commands that need them, so that `--help` is instant.
"""
