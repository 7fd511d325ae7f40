"""Written answers: rubrics, a bilingual offline grader, its calibration and how it is measured.

Everything here runs on the trusted side, without a sandbox: an answer is text that is compared, never executed. The
grader is deterministic, needs no network and no model, and takes time linear in the text.
"""
