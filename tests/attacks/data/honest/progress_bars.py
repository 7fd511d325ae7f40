import time
from tqdm import tqdm, trange


def main():
    for _ in trange(500, desc="training", ncols=120):
        pass
    for _ in tqdm(range(3), mininterval=0):
        time.sleep(0.01)
