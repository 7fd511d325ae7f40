import subprocess


def main():
    assert subprocess.run("printf 'b\\na\\n' | sort | head -1", shell=True, capture_output=True, text=True).stdout == "a\n"
