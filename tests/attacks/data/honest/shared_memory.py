import numpy as np
from multiprocessing import shared_memory


def main():
    memory = shared_memory.SharedMemory(create=True, size=8000)
    np.ndarray(1000, dtype=np.float64, buffer=memory.buf)[:] = 1.0
    memory.close()
    memory.unlink()
