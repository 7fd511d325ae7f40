import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.conv = nn.ConvTranspose2d(n_in, n_out, 4, 2, 1)
        self.norm = nn.BatchNorm2d(n_out)

    def forward(self, x):
        return torch.relu(self.norm(self.conv(x)))


class Generator(nn.Module):
    def __init__(self, z_dim, width):
        super().__init__()
        self.project = nn.Linear(z_dim, 4 * width * 4)
        self.blocks = nn.ModuleList([Block(4 * width, 2 * width)])
        self.last = nn.ConvTranspose2d(2 * width, 1, 4, 2, 1)
        self.width = width

    def forward(self, z):
        x = self.project(z).view(-1, 4 * self.width, 2, 2)
        for block in self.blocks:
            x = block(x)
        return torch.tanh(self.last(x))


class Discriminator(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 2 * width, 3, padding=1, stride=2),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 4 * width, 3, padding=1, stride=2),
            nn.LeakyReLU(0.2),
        )
        self.head = nn.Linear(16 * width, 1)

    def forward(self, x):
        return self.head(self.layers(x).flatten(1)).flatten()
