import os
import tempfile


def main():
    with tempfile.TemporaryDirectory() as folder:
        for number in range(200):
            with open(os.path.join(folder, str(number)), "w") as file:
                file.write("x" * 1000)
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"x")
