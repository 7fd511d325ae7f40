"""Hinge loss, spectral normalisation in the discriminator, upsampling generator; a class that does everything."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.parametrizations import spectral_norm


class HingeGAN(nn.Module):
    def __init__(self, z_dim=48, ch=32):
        super().__init__()
        self.z_dim = z_dim
        self.g_in = nn.Linear(z_dim, ch * 2 * 4)
        self.g_bn0 = nn.BatchNorm2d(ch * 2)
        self.g_conv1 = nn.Conv2d(ch * 2, ch, 3, padding=1)
        self.g_bn1 = nn.BatchNorm2d(ch)
        self.g_conv2 = nn.Conv2d(ch, 1, 3, padding=1)
        self.d_conv1 = spectral_norm(nn.Conv2d(1, ch, 4, 2, 1))
        self.d_conv2 = spectral_norm(nn.Conv2d(ch, ch * 2, 4, 2, 1))
        self.d_out = spectral_norm(nn.Linear(ch * 2 * 4, 1))
        g = [p for n, p in self.named_parameters() if n.startswith("g_")]
        d = [p for n, p in self.named_parameters() if n.startswith("d_")]
        self.opt_g = torch.optim.Adam(g, lr=1e-3, betas=(0.0, 0.9))
        self.opt_d = torch.optim.Adam(d, lr=2e-3, betas=(0.0, 0.9))

    def G(self, z):
        h = F.relu(self.g_bn0(self.g_in(z).view(len(z), -1, 2, 2)))
        h = F.interpolate(h, scale_factor=2)
        h = F.relu(self.g_bn1(self.g_conv1(h)))
        h = F.interpolate(h, scale_factor=2)
        return torch.sigmoid(self.g_conv2(h))

    def D(self, x):
        h = F.leaky_relu(self.d_conv1(x - 0.5), 0.1)
        h = F.leaky_relu(self.d_conv2(h), 0.1)
        return self.d_out(h.flatten(1)).squeeze(-1)

    def step_d(self, real, z):
        self.train()
        with torch.no_grad():
            fake = self.G(z)
        loss = F.relu(1 - self.D(real)).mean() + F.relu(1 + self.D(fake)).mean()
        self.opt_d.zero_grad(set_to_none=True)
        loss.backward()
        self.opt_d.step()
        return loss

    def step_g(self, z):
        self.train()
        loss = -self.D(self.G(z)).mean()
        self.opt_g.zero_grad(set_to_none=True)
        loss.backward()
        self.opt_g.step()
        return loss


def train_gan(images, *, time_budget_s, seed, device):
    torch.manual_seed(seed)
    gan = HingeGAN().to(device)
    for step in range(500):
        idx = torch.randint(len(images), (64,))
        gan.step_d(images[idx].to(device), torch.randn(64, gan.z_dim, device=device))
        gan.step_g(torch.randn(64, gan.z_dim, device=device))
    return gan.eval()


def d_step(model, real, z):
    return {"loss": model.step_d(real, z).item()}


def g_step(model, z):
    return {"loss": model.step_g(z).item()}


def latent_dim(model):
    return model.z_dim


@torch.no_grad()
def generate(model, z):
    was = model.training
    model.eval()
    images = model.G(z)
    model.train(was)
    return images


def sample(model, n, seed):
    rng = torch.Generator().manual_seed(seed)
    return generate(model, torch.randn(n, model.z_dim, generator=rng))


@torch.no_grad()
def discriminate(model, images):
    model.eval()
    return model.D(images)
