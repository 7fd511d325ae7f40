from concurrent.futures import ThreadPoolExecutor


def main():
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(abs, range(-50, 0))) == 1275
