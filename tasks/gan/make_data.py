"""Make the two data files of this task from the digits of the task `cnn_classifier`, under a split of their own.

Runs once, by hand; grading needs only the files. The result is a pure function of the data set and `SPLIT_SEED`.

    python make_data.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).parent
SOURCE = HERE.parent / "cnn_classifier" / "hidden" / "digits.npz"
SPLIT_SEED = 20240902
HELD_OUT_PER_CLASS = 70
"""What samples are compared with; the other 104 to 113 of each class are trained on."""
PUBLIC_PER_CLASS = 30

Bytes = NDArray[np.uint8]


def all_digits() -> tuple[Bytes, Bytes]:
    """The 1,797 images (N, 8, 8) 0..16 and labels (N,), in an order that does not depend on the other task's split."""
    stored = np.load(SOURCE)
    images = np.concatenate([stored["train_images"], stored["test_images"]])
    labels = np.concatenate([stored["train_labels"], stored["test_labels"]])
    order = np.lexsort(images.reshape(len(images), -1).T)
    return images[order], labels[order]


def rows_of(labels: Bytes, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row numbers of (training, held out): the same number of every class is held out."""
    held = [rng.permutation(np.flatnonzero(labels == digit))[:HELD_OUT_PER_CLASS] for digit in range(10)]
    test = np.concatenate(held)
    return rng.permutation(np.setdiff1d(np.arange(len(labels)), test)), rng.permutation(test)


def main() -> None:
    """Write `hidden/digits.npz` and `public/digits_public.npz` beside this file."""
    images, labels = all_digits()
    train, test = rows_of(labels, np.random.default_rng(SPLIT_SEED))
    np.savez_compressed(
        HERE / "hidden" / "digits.npz",
        train_images=images[train],
        train_labels=labels[train],
        test_images=images[test],
        test_labels=labels[test],
    )
    shown = np.concatenate([train[labels[train] == digit][:PUBLIC_PER_CLASS] for digit in range(10)])
    np.savez_compressed(HERE / "public" / "digits_public.npz", images=images[shown], labels=labels[shown])


if __name__ == "__main__":
    main()
