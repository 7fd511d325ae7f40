"""`grader review OUT` as a local page: read an answer beside the rubric's evidence, accept or overrule, say why.

It keeps nothing of its own: results come from `review.results`, decisions go to `review.record`, as those of a
spreadsheet do. `items` is the queue, `sheet` what one page shows, `saving` what a decision writes, `guard` who may ask.
"""
