from lib.part import value


def main():
    return value()
