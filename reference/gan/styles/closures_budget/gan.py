"""No classes at all: train_gan returns a namespace of closures, and trains as long as a share of the budget lasts."""
import time
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import nn

SHARE = 0.2  # of time_budget_s: enough for 8x8 pixels on a slow machine as well
DIM = 40


def train_gan(images, *, time_budget_s, seed, device):
    start = time.process_time()
    torch.manual_seed(seed)
    gen = nn.Sequential(
        nn.Linear(DIM, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Unflatten(1, (64, 2, 2)),
        nn.Upsample(scale_factor=2), nn.Conv2d(64, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Upsample(scale_factor=2), nn.Conv2d(32, 1, 3, padding=1), nn.Sigmoid(),
    ).to(device)
    dis = nn.Sequential(
        nn.Conv2d(1, 32, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(32, 64, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Linear(256, 1),
    ).to(device)
    gen_opt = torch.optim.Adam(gen.parameters(), lr=1e-3, betas=(0.5, 0.999))
    dis_opt = torch.optim.Adam(dis.parameters(), lr=1e-3, betas=(0.5, 0.999))

    def train_d(real, z):
        gen.train(), dis.train()
        # no detach: gradients do reach the generator, but its step clears them before it counts its own
        loss = F.softplus(-dis(real.to(device))).mean() + F.softplus(dis(gen(z.to(device)))).mean()
        dis_opt.zero_grad()
        loss.backward()
        dis_opt.step()

    def train_g(z):
        gen.train(), dis.train()
        gen_opt.zero_grad()
        F.softplus(-dis(gen(z.to(device)))).mean().backward()
        gen_opt.step()

    @torch.no_grad()
    def make(z):
        gen.eval()
        return gen(z.to(device)).cpu()

    @torch.no_grad()
    def score(x):
        dis.eval()
        return dis(x.to(device)).squeeze(1).cpu()

    while time.process_time() - start < SHARE * time_budget_s:
        train_d(images[torch.randint(len(images), (64,))], torch.randn(64, DIM))
        train_g(torch.randn(64, DIM))
    return SimpleNamespace(train_d=train_d, train_g=train_g, make=make, score=score)


def d_step(model, real, z):
    model.train_d(real, z)


def g_step(model, z):
    model.train_g(z)


latent_dim = lambda model: DIM
generate = lambda model, z: model.make(z)
discriminate = lambda model, images: model.score(images)


def sample(model, n, seed):
    return model.make(torch.randn(n, DIM, generator=torch.Generator().manual_seed(seed)))
