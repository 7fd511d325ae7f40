# plain MLP GAN. model = a dict with everything in it
import torch
import torch.nn as nn

LATENT = 64
BATCH = 64
ITERS = 1800
LR = 5e-4

bce = nn.BCELoss()


def make_G():
    return nn.Sequential(
        nn.Linear(LATENT, 256), nn.LeakyReLU(0.2),
        nn.Linear(256, 256), nn.LeakyReLU(0.2),
        nn.Linear(256, 64), nn.Tanh())


def make_D():
    return nn.Sequential(
        nn.Linear(64, 256), nn.LeakyReLU(0.2), nn.Dropout(0.3),
        nn.Linear(256, 256), nn.LeakyReLU(0.2), nn.Dropout(0.3),
        nn.Linear(256, 1), nn.Sigmoid())


def d_step(model, real, z):
    G, D = model['G'], model['D']
    D.train()
    B = real.shape[0]
    model['optD'].zero_grad()
    with torch.no_grad():
        fake = G(z)
    loss = bce(D(real.reshape(B, -1) * 2 - 1), torch.full((B, 1), 0.9)) + bce(D(fake), torch.zeros(len(z), 1))
    loss.backward()
    model['optD'].step()
    model['iter'] += 1
    return {'d_loss': float(loss)}


def g_step(model, z):
    G, D = model['G'], model['D']
    D.train()
    model['optG'].zero_grad()
    loss = bce(D(G(z)), torch.ones(len(z), 1))
    loss.backward()
    model['optG'].step()
    return {'g_loss': float(loss)}


def train_gan(images, *, time_budget_s, seed, device):
    torch.manual_seed(seed)
    G, D = make_G(), make_D()
    model = {'G': G, 'D': D, 'iter': 0,
             'optG': torch.optim.Adam(G.parameters(), lr=LR, betas=(0.5, 0.999)),
             'optD': torch.optim.Adam(D.parameters(), lr=LR, betas=(0.5, 0.999))}
    for it in range(ITERS):
        idx = torch.randint(0, images.shape[0], (BATCH,))
        d_step(model, images[idx], torch.randn(BATCH, LATENT))
        g_step(model, torch.randn(BATCH, LATENT))
    return model


def latent_dim(model):
    return LATENT


def generate(model, z):
    with torch.no_grad():
        return model['G'](z).view(-1, 1, 8, 8) / 2 + 0.5


def sample(model, n, seed):
    g = torch.Generator()
    g.manual_seed(seed)
    return generate(model, torch.randn(n, LATENT, generator=g))


def discriminate(model, images):
    model['D'].eval()
    with torch.no_grad():
        return model['D'](images.reshape(len(images), -1) * 2 - 1)[:, 0]
