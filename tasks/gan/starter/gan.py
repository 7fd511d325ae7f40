"""Generative adversarial network: fill in the seven functions. PROMPT.md says what each of them promises."""

from __future__ import annotations

from typing import Any

import torch


def train_gan(images: torch.Tensor, *, time_budget_s: float, seed: int, device: str) -> Any:
    """Train on images (N, 1, 8, 8) float32 in [0, 1] and return the model: any object but None.

    It is handed back to the functions below as it is. `time_budget_s` is the limit in CPU seconds.
    """
    raise NotImplementedError


def sample(model: Any, n: int, seed: int) -> torch.Tensor:
    """Return n new images (n, 1, 8, 8) float32 in [0, 1]. The same seed gives the same images."""
    raise NotImplementedError


def latent_dim(model: Any) -> int:
    """Return the number of noise values for one image."""
    raise NotImplementedError


def generate(model: Any, z: torch.Tensor) -> torch.Tensor:
    """Return the images (n, 1, 8, 8) in [0, 1] for noise z (n, latent_dim), drawn from N(0, 1)."""
    raise NotImplementedError


def discriminate(model: Any, images: torch.Tensor) -> torch.Tensor:
    """Return one score (n,) for each image (n, 1, 8, 8) in [0, 1]: higher means more real, on any scale."""
    raise NotImplementedError


def d_step(model: Any, real: torch.Tensor, z: torch.Tensor) -> Any:
    """Train the discriminator once on real images (B, 1, 8, 8) in [0, 1] and noise z (B, latent_dim)."""
    raise NotImplementedError


def g_step(model: Any, z: torch.Tensor) -> Any:
    """Train the generator once on noise z (B, latent_dim)."""
    raise NotImplementedError
