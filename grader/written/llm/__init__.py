"""A second opinion on written answers from a language model: one call for each point of a rubric.

Its verdict is kept beside the offline one and never replaces it. Whatever the endpoint sends is data: a strict
schema, a quote that must stand in the answer, points that are summed in code.
"""
