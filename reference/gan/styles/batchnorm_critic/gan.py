"""DCGAN as in the tutorials: BatchNorm in both networks, which stay in training mode in both steps."""

import torch
import torch.nn as nn

NZ = 32
criterion = nn.BCEWithLogitsLoss()


def make_generator():
    return nn.Sequential(
        nn.ConvTranspose2d(NZ, 64, 2, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
        nn.ConvTranspose2d(64, 32, 4, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        nn.ConvTranspose2d(32, 1, 4, 2, 1, bias=False), nn.Tanh(),
    )


def make_discriminator():
    return nn.Sequential(
        nn.Conv2d(1, 32, 4, 2, 1), nn.LeakyReLU(0.2),
        nn.Conv2d(32, 64, 4, 2, 1, bias=False), nn.BatchNorm2d(64), nn.LeakyReLU(0.2),
        nn.Conv2d(64, 1, 2), nn.Flatten(0),
    )


class DCGAN:
    def __init__(self, device):
        self.device = device
        self.netG, self.netD = make_generator().to(device), make_discriminator().to(device)
        self.optimizerG = torch.optim.Adam(self.netG.parameters(), lr=1e-3, betas=(0.5, 0.999))
        self.optimizerD = torch.optim.Adam(self.netD.parameters(), lr=1e-3, betas=(0.5, 0.999))

    def fake(self, z):
        return self.netG(z.to(self.device).view(-1, NZ, 1, 1))

    def train(self):
        self.netG.train()
        self.netD.train()


def d_step(model, real, z):
    model.train()
    model.netD.zero_grad()
    output = model.netD(real.to(model.device) * 2 - 1)
    errD_real = criterion(output, torch.full_like(output, 0.9))
    errD_real.backward()
    output = model.netD(model.fake(z).detach())
    errD_fake = criterion(output, torch.zeros_like(output))
    errD_fake.backward()
    model.optimizerD.step()
    return {"loss_d": (errD_real + errD_fake).item()}


def g_step(model, z):
    model.train()
    model.netG.zero_grad()
    output = model.netD(model.fake(z))
    errG = criterion(output, torch.ones_like(output))
    errG.backward()
    model.optimizerG.step()
    return {"loss_g": errG.item()}


def train_gan(images, *, time_budget_s, seed, device):
    torch.manual_seed(seed)
    model = DCGAN(device)
    loader = torch.utils.data.DataLoader(images, batch_size=64, shuffle=True, drop_last=True)
    step, steps = 0, 600
    while step < steps:
        for batch in loader:
            d_step(model, batch, torch.randn(len(batch), NZ))
            g_step(model, torch.randn(len(batch), NZ))
            step += 1
    return model


def latent_dim(model):
    return NZ


@torch.no_grad()
def generate(model, z):
    model.netG.eval()
    return model.fake(z).cpu() * 0.5 + 0.5


def sample(model, n, seed):
    return generate(model, torch.randn(n, NZ, generator=torch.Generator().manual_seed(seed)))


@torch.no_grad()
def discriminate(model, images):
    model.netD.eval()
    return model.netD(images.to(model.device) * 2 - 1).cpu()
