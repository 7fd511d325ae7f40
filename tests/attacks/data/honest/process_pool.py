import math
from concurrent.futures import ProcessPoolExecutor


def main():
    with ProcessPoolExecutor(2) as pool:
        assert sum(pool.map(math.sqrt, [4.0, 9.0, 16.0])) == 9.0
