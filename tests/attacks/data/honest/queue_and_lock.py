import multiprocessing


def put(queue, lock):
    with lock:
        queue.put(7)


def main():
    queue, lock = multiprocessing.Queue(), multiprocessing.Lock()
    process = multiprocessing.Process(target=put, args=(queue, lock))
    process.start()
    assert queue.get(timeout=20) == 7
    process.join()
