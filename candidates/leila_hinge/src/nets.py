"""Networks for 8x8 images in [-1, 1]."""
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm as sn


class UpBlock(nn.Module):
    """Residual block that doubles the side."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.bn1, self.bn2 = nn.BatchNorm2d(c_in), nn.BatchNorm2d(c_out)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, padding=1)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1)
        self.skip = nn.Conv2d(c_in, c_out, 1)

    def forward(self, x):
        h = F.interpolate(F.relu(self.bn1(x)), scale_factor=2)
        h = self.conv2(F.relu(self.bn2(self.conv1(h))))
        return h + self.skip(F.interpolate(x, scale_factor=2))


class Generator(nn.Module):
    def __init__(self, z_dim=32, c=32):
        super().__init__()
        self.c = c
        self.start = nn.Linear(z_dim, c * 2 * 2)
        self.up = nn.Sequential(UpBlock(c, c), UpBlock(c, c))
        self.end = nn.Sequential(nn.BatchNorm2d(c), nn.ReLU(), nn.Conv2d(c, 1, 3, padding=1), nn.Tanh())

    def forward(self, z):
        return self.end(self.up(self.start(z).view(-1, self.c, 2, 2)))


class Critic(nn.Module):
    def __init__(self, c=48):
        super().__init__()
        self.body = nn.Sequential(
            sn(nn.Conv2d(1, c, 4, stride=2, padding=1)), nn.LeakyReLU(0.2),
            sn(nn.Conv2d(c, 2 * c, 4, stride=2, padding=1)), nn.LeakyReLU(0.2),
            nn.Flatten(), sn(nn.Linear(8 * c, 1)),
        )

    def forward(self, x):
        return self.body(x).squeeze(1)
