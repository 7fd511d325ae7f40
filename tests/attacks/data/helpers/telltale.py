"""How an attack says what it did: that it came to the point, and that it got somewhere."""

import sys


def tried(what=""):
    print("TRIED", what, flush=True)


def breach(what):
    """Says that the attack succeeded. The word is put together here, so that a quoted source line is no alarm."""
    for stream in (sys.stdout, sys.stderr):
        print("BRE" + "ACH", what, file=stream, flush=True)


def works(what, action, *arguments):
    """Says so where something succeeds that must be refused."""
    try:
        result = action(*arguments)
    except (OSError, ValueError, MemoryError) as error:
        print("refused", what, type(error).__name__)
        return None
    breach(what)
    return result
