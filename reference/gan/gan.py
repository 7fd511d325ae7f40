"""A small DCGAN for 8x8 images in one file, top to bottom.

Three things are worth noticing. Inside, images live in [-1, 1], where tanh ends; outside in [0, 1]: `to_unit` and
`from_unit` are the only places that know both. Each step has an optimiser that holds only one of the two networks and
clears its gradients first, so neither step can train the other network. And samples are drawn in evaluation mode, so
an image does not depend on the others of its batch.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STEPS = 600
BATCH_SIZE = 64
NOISE = 32
LEARNING_RATE = 1e-3
REAL_TARGET = 0.9  # one-sided label smoothing: a discriminator that is never quite sure has more to teach


class Generator(nn.Module):
    def __init__(self, noise: int, width: int = 32) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(noise, 2 * width * 2 * 2, bias=False),
            nn.Unflatten(1, (2 * width, 2, 2)),  # (B, 64, 2, 2)
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1, bias=False),  # (B, 32, 4, 4)
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.ConvTranspose2d(width, 1, 4, stride=2, padding=1),  # (B, 1, 8, 8)
            nn.Tanh(),
        )

    def forward(self, z: Tensor) -> Tensor:  # (B, noise) -> (B, 1, 8, 8) in [-1, 1]
        return self.net(z)


class Discriminator(nn.Module):
    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, width, 4, stride=2, padding=1),  # (B, 32, 4, 4)
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),  # (B, 64, 2, 2)
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(2 * width * 2 * 2, 1),
        )

    def forward(self, images: Tensor) -> Tensor:  # (B, 1, 8, 8) in [-1, 1] -> (B,) logits
        return self.net(images).squeeze(1)


class GAN:
    def __init__(self, device: str) -> None:
        self.device = device
        self.generator = Generator(NOISE).to(device)
        self.discriminator = Discriminator().to(device)
        settings = {"lr": LEARNING_RATE, "betas": (0.5, 0.999)}
        self.generator_optimizer = torch.optim.Adam(self.generator.parameters(), **settings)
        self.discriminator_optimizer = torch.optim.Adam(self.discriminator.parameters(), **settings)


def from_unit(images: Tensor) -> Tensor:
    return images * 2 - 1


def to_unit(images: Tensor) -> Tensor:
    return (images + 1) / 2


def d_step(model, real, z):
    model.generator.train()
    real, z = from_unit(real.to(model.device)), z.to(model.device)  # (B, 1, 8, 8), (B, noise)
    fake = model.generator(z).detach()  # the generator is not to learn from this step
    real_score, fake_score = model.discriminator(real), model.discriminator(fake)  # (B,), (B,)
    loss = F.binary_cross_entropy_with_logits(real_score, torch.full_like(real_score, REAL_TARGET))
    loss = loss + F.binary_cross_entropy_with_logits(fake_score, torch.zeros_like(fake_score))
    model.discriminator_optimizer.zero_grad()
    loss.backward()
    model.discriminator_optimizer.step()
    return {"loss": loss.item()}


def g_step(model, z):
    model.generator.train()
    score = model.discriminator(model.generator(z.to(model.device)))  # (B,)
    loss = F.binary_cross_entropy_with_logits(score, torch.ones_like(score))  # non-saturating
    model.generator_optimizer.zero_grad()
    loss.backward()  # reaches the discriminator too, but only the generator's optimiser steps
    model.generator_optimizer.step()
    return {"loss": loss.item()}


def train_gan(images, *, time_budget_s, seed, device):
    torch.manual_seed(seed)
    model = GAN(device)
    for _ in range(STEPS):
        real = images[torch.randint(len(images), (BATCH_SIZE,))]
        d_step(model, real, torch.randn(BATCH_SIZE, NOISE))
        g_step(model, torch.randn(BATCH_SIZE, NOISE))
    return model


def latent_dim(model):
    return NOISE


@torch.no_grad()
def generate(model, z):
    model.generator.eval()
    return to_unit(model.generator(z.to(model.device))).cpu()  # (n, 1, 8, 8) in [0, 1]


def sample(model, n, seed):
    z = torch.randn(n, NOISE, generator=torch.Generator().manual_seed(seed))
    return generate(model, z)


@torch.no_grad()
def discriminate(model, images):
    model.discriminator.eval()
    return model.discriminator(from_unit(images.to(model.device))).cpu()  # (n,), higher = more real
