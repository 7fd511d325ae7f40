from copy import deepcopy
from dataclasses import dataclass

import torch
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from .networks import Discriminator, Generator


@dataclass
class Config:
    z_dim: int = 24
    width: int = 16
    steps: int = 700
    batch: int = 64
    lr_g: float = 1e-3
    lr_d: float = 5e-4
    decay: float = 0.98


class Trainer:
    def __init__(self, seed, device):
        torch.manual_seed(seed)
        self.config = Config()
        self.device = torch.device(device)
        self.g = Generator(self.config.z_dim, self.config.width).to(self.device)
        self.d = Discriminator(self.config.width).to(self.device)
        self.average = deepcopy(self.g).eval()
        self.opt_g = torch.optim.Adam(self.g.parameters(), self.config.lr_g, (0.5, 0.99))
        self.opt_d = torch.optim.Adam(self.d.parameters(), self.config.lr_d, (0.5, 0.99))

    def fit(self, images):
        for _ in range(self.config.steps):
            pick = torch.randint(len(images), (self.config.batch,))
            self.d_step(images[pick], self.noise(self.config.batch))
            self.g_step(self.noise(self.config.batch))

    def noise(self, n):
        return torch.randn(n, self.config.z_dim)

    def d_step(self, real, z):
        real, z = real.to(self.device).mul(2).sub(1), z.to(self.device)
        with torch.no_grad():
            fake = self.g(z)
        out = self.d(torch.cat([real, fake]))
        target = torch.cat([torch.full((len(real),), 0.9), torch.zeros(len(fake))]).to(self.device)
        loss = bce(out, target)
        self.opt_d.zero_grad()
        loss.backward()
        self.opt_d.step()
        return loss.item()

    def g_step(self, z):
        out = self.d(self.g(z.to(self.device)))
        loss = bce(out, torch.ones_like(out))
        self.opt_g.zero_grad()
        loss.backward()
        self.opt_g.step()
        self.update_average()
        return loss.item()

    @torch.no_grad()
    def update_average(self):
        for mean, now in zip(self.average.parameters(), self.g.parameters()):
            mean.lerp_(now, 1 - self.config.decay)
        for mean, now in zip(self.average.buffers(), self.g.buffers()):
            mean.copy_(now)

    @torch.no_grad()
    def generate(self, z):
        return (self.average(z.to(self.device)) + 1).mul(0.5).cpu()

    def sample(self, n, seed):
        return self.generate(torch.randn(n, self.config.z_dim, generator=torch.Generator().manual_seed(seed)))

    @torch.no_grad()
    def score(self, images):
        return self.d(images.to(self.device) * 2 - 1).cpu()
