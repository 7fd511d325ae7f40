"""Hinge GAN. Images are [0, 1] outside and [-1, 1] inside; samples come from a moving average of the generator."""
import copy
import time

import torch
from torch.nn import functional as F

from nets import Critic, Generator

Z = 32
BATCH = 64
PAIRS = 600
EMA = 0.95


class Gan:
    def __init__(self, device):
        self.device = device
        self.G, self.D = Generator(Z).to(device), Critic().to(device)
        self.shadow = copy.deepcopy(self.G).eval().requires_grad_(False)
        self.g_opt = torch.optim.Adam(self.G.parameters(), lr=5e-4, betas=(0.0, 0.9))
        self.d_opt = torch.optim.Adam(self.D.parameters(), lr=1e-3, betas=(0.0, 0.9))

    def follow(self):
        for s, p in zip(self.shadow.parameters(), self.G.parameters()):
            s.lerp_(p.detach(), 1 - EMA)
        for s, b in zip(self.shadow.buffers(), self.G.buffers()):
            s.copy_(b)


def d_step(model, real, z):
    with torch.no_grad():
        fake = model.G(z.to(model.device))
    real = real.to(model.device) * 2 - 1
    loss = F.relu(1 - model.D(real)).mean() + F.relu(1 + model.D(fake)).mean()
    model.d_opt.zero_grad()
    loss.backward()
    model.d_opt.step()
    return {"d_loss": loss.item()}


def g_step(model, z):
    loss = -model.D(model.G(z.to(model.device))).mean()
    model.g_opt.zero_grad()
    loss.backward()
    model.g_opt.step()
    model.follow()
    return {"g_loss": loss.item()}


def train_gan(images, *, time_budget_s, seed, device):
    torch.manual_seed(seed)
    model = Gan(device)
    start = time.process_time()
    for _ in range(PAIRS):
        rows = torch.randint(len(images), (BATCH,))
        d_step(model, images[rows], torch.randn(BATCH, Z))
        g_step(model, torch.randn(BATCH, Z))
        if time.process_time() - start > 0.8 * time_budget_s:  # a slow machine: better stop than be stopped
            break
    return model


def latent_dim(model):
    return Z


@torch.no_grad()
def generate(model, z):
    return (model.shadow(z.to(model.device)).cpu() + 1) / 2


def sample(model, n, seed):
    return generate(model, torch.randn(n, Z, generator=torch.Generator().manual_seed(seed)))


@torch.no_grad()
def discriminate(model, images):
    return model.D(images.to(model.device) * 2 - 1).cpu()
