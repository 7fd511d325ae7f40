import threading

total = []


def main():
    threads = [threading.Thread(target=total.append, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(total) == list(range(20))
