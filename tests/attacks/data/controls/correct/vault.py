from key import build, code, rows  # noqa: F401
