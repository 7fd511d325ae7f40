"""What a candidate receives: prompts, starters, public tests and a way to run them; nothing hidden.

`contents` chooses what is public, `package` packs grader itself, `writing` writes the folder, `finding` finds it again.
"""
