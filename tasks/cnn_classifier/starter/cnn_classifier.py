"""Image classifier: fill in the four functions. PROMPT.md says what each of them promises."""

from __future__ import annotations

import torch
from torch import nn


def build_model(in_channels: int, num_classes: int, image_size: int) -> nn.Module:
    """Return a new convolutional network.

    Its forward takes float32 images (B, in_channels, image_size, image_size) in [0, 1] and returns logits
    (B, num_classes).
    """
    raise NotImplementedError


def train_model(
    model: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    epochs: int | None = None,
    seed: int,
    device: str,
) -> dict[str, list[float]]:
    """Train `model` in place and return {"loss": [mean cross-entropy of each epoch]}.

    images: (N, C, H, W) float32 in [0, 1], not normalised; labels: (N,) int64. With `epochs=None` the number
    of epochs is your choice.
    """
    raise NotImplementedError


def predict(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Return the labels (N,) int64 of `images` (N, C, H, W), as evaluation, whatever mode the model is in."""
    raise NotImplementedError


def predict_proba(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Return the probabilities (N, num_classes) of `images`, as evaluation, whatever mode the model is in."""
    raise NotImplementedError
