"""What submissions have in common: passages that a person should look at, never points.

Two people who solve one task write similar code, and a quoted formula is no copy. So a finding is a flag with the
passages side by side; whether it means anything is for a person to say.
"""
