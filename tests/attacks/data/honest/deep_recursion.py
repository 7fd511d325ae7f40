import sys


def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)


def main():
    sys.setrecursionlimit(20_000)
    assert depth(5000) == 5000
