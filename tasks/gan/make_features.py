"""Train the small classifier whose 64 features the hidden suite compares samples in: `hidden/features.safetensors`.

Runs once, by hand, with torch; the suite evaluates the result in numpy (`hidden/metrics.py`). It is trained on the
training split alone: the held-out images, with which samples are compared, are as new to it as the samples are.

Beside the ten digits it knows an eleventh class: what is no digit (noise, shuffled pixels, two digits in one, holes and
smears). Features that were only ever asked which digit an image is call noise a digit too: uniform noise then had an FD
of 0.4 and covered a tenth of the real images.

    python make_features.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

HERE = Path(__file__).parent
SEED = 7
EPOCHS = 60


class Classifier(nn.Module):
    """Two convolutions, 64 features, 11 scores: what `features_and_scores` computes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.fc1 = nn.Linear(128, 64)
        self.fc2 = nn.Linear(64, 11)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 1, 8, 8) in [0, 1] -> scores (B, 11)."""
        x = functional.max_pool2d(functional.relu(self.conv1(images)), 2)  # (B, 16, 4, 4)
        x = functional.max_pool2d(functional.relu(self.conv2(x)), 2)  # (B, 32, 2, 2)
        x = functional.relu(self.fc1(x.flatten(1)))  # (B, 64)
        return self.fc2(x)


def part(stored: np.lib.npyio.NpzFile, name: str) -> tuple[Tensor, Tensor]:
    """Images (N, 1, 8, 8) and labels (N,) of "train" or "test"."""
    images = torch.from_numpy(stored[f"{name}_images"][:, None].astype(np.float32) / 16)
    return images, torch.from_numpy(stored[f"{name}_labels"].astype(np.int64))


def spoiled(images: Tensor) -> Tensor:
    """As many images that are no digits: each of `images` spoiled in one of five ways, drawn for each."""
    count = len(images)
    other = images[torch.randperm(count)]
    noise = torch.rand_like(images)
    strength = torch.empty(count, 1, 1, 1).uniform_(0.25, 0.5)
    pixels = torch.stack([images[torch.randint(count, (count,)), 0, y, x] for y in range(8) for x in range(8)], dim=1)
    ways = torch.stack(
        [
            noise,
            (images + strength * torch.randn_like(images)).clamp(0, 1),
            pixels.view(count, 1, 8, 8),  # each pixel of another image
            (images + other) / 2,
            torch.where(noise < strength, other, images),  # holes, filled from another image
        ]
    )  # (5, B, 1, 8, 8)
    return ways[torch.randint(len(ways), (count,)), torch.arange(count)]


def main() -> None:
    """Train, print the accuracy on the held-out images, save."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    stored = np.load(HERE / "hidden" / "digits.npz")
    images, labels = part(stored, "train")
    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(images)).split(64):
            both = torch.cat([images[batch], spoiled(images[batch])])
            target = torch.cat([labels[batch], torch.full_like(batch, 10)])
            optimizer.zero_grad()
            functional.cross_entropy(model(both), target).backward()
            optimizer.step()
        schedule.step()
    model.eval()
    test_images, test_labels = part(stored, "test")
    with torch.no_grad():
        accuracy = (model(test_images)[:, :10].argmax(dim=1) == test_labels).float().mean().item()
    print(f"accuracy on the held-out images: {accuracy:.3f}")  # noqa: T201 - a script
    save_file(model.state_dict(), HERE / "hidden" / "features.safetensors")


if __name__ == "__main__":
    main()
