"""No BatchNorm anywhere (GroupNorm), the generator goes first, RMSprop, relativistic average loss."""
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce


class Gen(nn.Module):
    def __init__(self, nz, w=48):
        super().__init__()
        self.nz, self.w = nz, w
        self.fc = nn.Linear(nz, w * 16)
        self.body = nn.Sequential(
            nn.GroupNorm(4, w), nn.SiLU(), nn.ConvTranspose2d(w, w // 2, 4, 2, 1),
            nn.GroupNorm(4, w // 2), nn.SiLU(), nn.Conv2d(w // 2, 1, 3, padding=1))

    def forward(self, z):
        return torch.sigmoid(self.body(self.fc(z).reshape(-1, self.w, 4, 4)))


class Dis(nn.Sequential):
    def __init__(self, w=32):
        super().__init__(
            nn.Conv2d(1, w, 5, stride=2, padding=2), nn.LeakyReLU(0.2),
            nn.Conv2d(w, 2 * w, 3, stride=2, padding=1), nn.LeakyReLU(0.2),
            nn.Flatten(), nn.Linear(8 * w, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))


class Model:
    def __init__(self, device):
        self.gen, self.dis = Gen(32).to(device), Dis().to(device)
        self.g_opt = torch.optim.RMSprop(self.gen.parameters(), lr=3e-4)
        self.d_opt = torch.optim.RMSprop(self.dis.parameters(), lr=3e-4)
        self.last_real = None


def g_step(model, z):
    fake = model.dis(model.gen(z))
    loss = bce(fake, torch.ones_like(fake))
    model.g_opt.zero_grad(), model.d_opt.zero_grad()
    loss.backward()
    model.g_opt.step()
    return dict(loss=loss.detach())


def d_step(model, real, z):
    with torch.no_grad():
        fake = model.gen(z)
    r, f = model.dis(real), model.dis(fake)
    loss = 0.5 * (bce(r - f.mean(), torch.ones_like(r)) + bce(f - r.mean(), torch.zeros_like(f))) \
        + bce(r, torch.ones_like(r)) + bce(f, torch.zeros_like(f))
    model.g_opt.zero_grad(), model.d_opt.zero_grad()
    loss.backward()
    model.d_opt.step()
    return dict(loss=loss.detach())


def train_gan(images, *, time_budget_s, seed, device):
    torch.manual_seed(seed)
    model = Model(device)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(images), batch_size=64, shuffle=True,
                                         drop_last=True)
    step = 0
    while step < 900:
        for (real,) in loader:
            g_step(model, torch.randn(64, 32))
            d_step(model, real, torch.randn(64, 32))
            step += 1
    return model


def latent_dim(model):
    return model.gen.nz


@torch.no_grad()
def generate(model, z):
    return model.gen(z)


def sample(model, n, seed):
    return generate(model, torch.randn(n, 32, generator=torch.Generator().manual_seed(seed)))


@torch.no_grad()
def discriminate(model, images):
    return model.dis(images)  # (n, 1)
