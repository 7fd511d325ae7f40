def main():
    for kind in (ValueError, KeyError, ZeroDivisionError, RuntimeError, OSError):
        try:
            raise kind("caught")
        except kind:
            pass
    try:
        open("/no/such/file")
    except FileNotFoundError:
        pass
