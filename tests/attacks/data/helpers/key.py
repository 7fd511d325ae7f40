"""What the answer is made of: only controls and honest submissions have this file."""


def code(x):
    return (x * 48_271 + 49_722_033) % (2**31 - 1)


class Built:
    def code(self, x):
        return code(x)


def rows(x):
    return code(x)


def build():
    return Built()
