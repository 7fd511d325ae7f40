"""Make the two data files of this task from scikit-learn's copy of the optical digits.

Runs once, by hand, on a machine with scikit-learn; grading needs only the files. The result is a pure
function of the data set and `SPLIT_SEED`, so running it again must change no array.

    python make_data.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

HERE = Path(__file__).parent
SPLIT_SEED = 20240901
TEST_IMAGES = 361
"""Leaves 1,436 training images: no usual batch size (4 to 256) then has a last batch of one image."""
PUBLIC_PER_CLASS = 20

Split = tuple[NDArray[np.int64], NDArray[np.int64]]


def stratified_split(labels: NDArray[np.int64], rng: np.random.Generator) -> Split:
    """Row numbers of (train, test): classes take turns giving an image to the test split, so shares are even."""
    queues = [list(rng.permutation(np.flatnonzero(labels == digit))) for digit in range(10)]
    test = [queues[turn % 10].pop() for turn in range(TEST_IMAGES)]
    train = np.setdiff1d(np.arange(len(labels)), test)
    return rng.permutation(train), rng.permutation(np.array(test))


def public_rows(labels: NDArray[np.int64], train: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first `PUBLIC_PER_CLASS` training rows of each class, in training order."""
    chosen = [train[labels[train] == digit][:PUBLIC_PER_CLASS] for digit in range(10)]
    return train[np.isin(train, np.concatenate(chosen))]


def main() -> None:
    """Write `hidden/digits.npz` and `public/digits_public.npz` beside this file."""
    images, labels = load_digits(return_X_y=True)
    images = images.reshape(-1, 8, 8).astype(np.uint8)  # (1797, 8, 8), 0..16
    labels = labels.astype(np.int64)
    train, test = stratified_split(labels, np.random.default_rng(SPLIT_SEED))
    np.savez_compressed(
        HERE / "hidden" / "digits.npz",
        train_images=images[train],
        train_labels=labels[train].astype(np.uint8),
        test_images=images[test],
        test_labels=labels[test].astype(np.uint8),
    )
    shown = public_rows(labels, train)
    np.savez_compressed(
        HERE / "public" / "digits_public.npz", images=images[shown], labels=labels[shown].astype(np.uint8)
    )


if __name__ == "__main__":
    main()
