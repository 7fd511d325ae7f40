"""Wasserstein GAN with gradient penalty: three critic updates for one of the generator."""
from types import SimpleNamespace

import torch
from torch import autograd, nn

N_CRITIC = 3
LAMBDA = 10.0
Z = 32


class Reshape(nn.Module):
    def __init__(self, *shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return x.reshape(len(x), *self.shape)


def build_generator():
    return nn.Sequential(
        nn.Linear(Z, 128), nn.BatchNorm1d(128), nn.ReLU(),
        nn.Linear(128, 128 * 4), nn.BatchNorm1d(512), nn.ReLU(),
        Reshape(128, 2, 2),
        nn.ConvTranspose2d(128, 32, 4, 2, 1), nn.ReLU(),
        nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Tanh(),
    )


def build_critic():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(32, 64, 3, 2, 1), nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Linear(256, 1), nn.Flatten(0),
    )


def gradient_penalty(critic, real, fake):
    alpha = torch.rand(len(real), 1, 1, 1)
    mix = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
    grads = autograd.grad(critic(mix).sum(), mix, create_graph=True)[0]
    return ((grads.flatten(1).norm(2, dim=1) - 1) ** 2).mean()


def critic_update(m, real, z):
    fake = m.gen(z).detach()
    real = real * 2 - 1
    loss = m.critic(fake).mean() - m.critic(real).mean() + LAMBDA * gradient_penalty(m.critic, real, fake)
    m.opt_c.zero_grad()
    loss.backward()
    m.opt_c.step()
    return loss.item()


def d_step(model, real, z):
    model.gen.train()
    return critic_update(model, real, z)


def g_step(model, z):
    model.gen.train()
    for p in model.critic.parameters():
        p.requires_grad = False
    loss = -model.critic(model.gen(z)).mean()
    model.opt_g.zero_grad()
    loss.backward()
    model.opt_g.step()
    for p in model.critic.parameters():
        p.requires_grad = True
    return loss.item()


def train_gan(images, *, time_budget_s, seed, device):
    torch.manual_seed(seed)
    m = SimpleNamespace(gen=build_generator(), critic=build_critic())
    m.opt_g = torch.optim.Adam(m.gen.parameters(), 1e-3, betas=(0.5, 0.9))
    m.opt_c = torch.optim.Adam(m.critic.parameters(), 1e-3, betas=(0.5, 0.9))
    for _ in range(500):
        for _ in range(N_CRITIC):
            real = images[torch.randperm(len(images))[:64]]
            d_step(m, real, torch.randn(len(real), Z))
        g_step(m, torch.randn(64, Z))
    return m


def latent_dim(model):
    return Z


def generate(model, z):
    model.gen.eval()
    with torch.inference_mode():
        return model.gen(z).add(1).div(2).clone()


def sample(model, n, seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        z = torch.randn(n, Z)
    return generate(model, z)


def discriminate(model, images):
    with torch.inference_mode():
        return model.critic(images * 2 - 1).clone()
