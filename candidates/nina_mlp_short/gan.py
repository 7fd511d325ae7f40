import torch
from torch import nn

# a simple GAN with linear layers

class G(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(100, 128), nn.ReLU(), nn.Linear(128, 64), nn.Tanh())

    def forward(self, z):
        return self.net(z).view(-1, 1, 8, 8)


class D(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 1), nn.Sigmoid())

    def forward(self, x):
        return self.net(x.view(x.size(0), -1))


def train_gan(images, *, time_budget_s, seed, device):
    g, d = G(), D()
    opt_g = torch.optim.Adam(g.parameters(), lr=0.001)
    opt_d = torch.optim.Adam(d.parameters(), lr=0.001)
    loss = nn.BCELoss()
    for epoch in range(20):
        for i in range(0, len(images), 64):
            x = images[i:i + 64]
            z = torch.randn(len(x), 100)
            opt_d.zero_grad()
            l = loss(d(x), torch.ones(len(x), 1)) + loss(d(g(z)), torch.zeros(len(x), 1))
            l.backward()
            opt_d.step()
            opt_g.zero_grad()
            l2 = loss(d(g(z)), torch.ones(len(x), 1))
            l2.backward()
            opt_g.step()
    return g, d


def sample(model, n, seed):
    g, d = model
    torch.manual_seed(seed)
    return g(torch.randn(n, 100))


def latent_dim(model):
    return 100


def generate(model, z):
    return model[0](z)


def discriminate(model, images):
    return model[1](images).squeeze(1)

# TODO d_step, g_step
