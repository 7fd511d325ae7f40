"""Least-squares GAN; the model is the tuple (generator, critic, optimisers)."""
import torch
from torch import nn, optim
import torch.nn.functional as F

nz, ngf, ndf = 50, 32, 32


class G(nn.Module):
    def __init__(self):
        super().__init__()
        # noise comes in as (B, nz, 1, 1), like in the DCGAN tutorial
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 2, 2, 1, 0, bias=False),
            nn.BatchNorm2d(ngf * 2),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ngf),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf, 1, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, x):
        return self.main(x)


class D(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(1, ndf, 3, 2, 1),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf, ndf * 2, 3, 2, 1, bias=False),
            nn.BatchNorm2d(ndf * 2),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf * 2, 1, 2, 1, 0),
        )

    def forward(self, x):
        return self.main(x).view(-1)


def weights_init(m):
    if 'Conv' in m.__class__.__name__:
        nn.init.normal_(m.weight.data, 0.0, 0.05)


def d_step(model, real, z):
    netG, netD, optG, optD = model
    netD.train()
    optD.zero_grad()
    out = netD(real * 2 - 1)
    loss_real = F.mse_loss(out, torch.ones_like(out))
    fake = netG(z.view(-1, nz, 1, 1))
    out = netD(fake.detach())
    loss = 0.5 * (loss_real + F.mse_loss(out, torch.zeros_like(out)))
    loss.backward()
    optD.step()
    return loss.item()


def g_step(model, z):
    netG, netD, optG, optD = model
    netG.train()
    optG.zero_grad()
    out = netD(netG(z.view(-1, nz, 1, 1)))
    loss = 0.5 * F.mse_loss(out, torch.ones_like(out))
    loss.backward()
    optG.step()
    return loss.item()


def train_gan(images, *, time_budget_s, seed, device):
    torch.manual_seed(seed)
    netG, netD = G().to(device), D().to(device)
    netG.apply(weights_init), netD.apply(weights_init)
    model = (netG, netD,
             optim.Adam(netG.parameters(), lr=1e-3, betas=(0.5, 0.999)),
             optim.Adam(netD.parameters(), lr=5e-4, betas=(0.5, 0.999)))
    images = images.to(device)
    for epoch in range(60):
        order = torch.randperm(len(images))
        for i in range(0, len(images) - 63, 64):
            batch = images[order[i:i + 64]]
            d_step(model, batch, torch.randn(len(batch), nz, device=device))
            g_step(model, torch.randn(len(batch), nz, device=device))
    return model


def latent_dim(model):
    return nz


def generate(model, z):
    netG = model[0].eval()
    with torch.no_grad():
        return netG(z.view(-1, nz, 1, 1)) * 0.5 + 0.5


def sample(model, n, seed):
    torch.manual_seed(seed)
    return generate(model, torch.randn(n, nz))


def discriminate(model, images):
    model[1].eval()
    with torch.no_grad():
        return model[1](images * 2 - 1)
