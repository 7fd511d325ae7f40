"""Network definition, plain nn.Sequential."""
from torch import nn


def layer(cin, cout):
    return [nn.Conv2d(cin, cout, kernel_size=3, padding=1), nn.LeakyReLU(0.1)]


def make_net(channels, classes, size):
    n = size // 2 // 2
    return nn.Sequential(
        *layer(channels, 20),
        nn.MaxPool2d(2),
        *layer(20, 40),
        nn.MaxPool2d(2),
        nn.Flatten(start_dim=1),
        nn.Dropout(p=0.3),
        nn.Linear(40 * n * n, 80),
        nn.LeakyReLU(0.1),
        nn.Linear(80, classes),
    )
