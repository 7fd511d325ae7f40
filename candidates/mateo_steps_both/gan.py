import torch
import torch.nn as nn

nz = 64
batch_size = 64
num_iters = 700

class Generator(nn.Module):
    def __init__(self):
        super(Generator, self).__init__()
        self.fc = nn.Linear(nz, 64*2*2)
        self.main = nn.Sequential(
            nn.BatchNorm2d(64),
            nn.ReLU(True),
            nn.ConvTranspose2d(64, 32, 4, 2, 1),
            nn.BatchNorm2d(32),
            nn.ReLU(True),
            nn.ConvTranspose2d(32, 1, 4, 2, 1),
            nn.Tanh()
        )

    def forward(self, z):
        return self.main(self.fc(z).view(-1, 64, 2, 2))

class Discriminator(nn.Module):
    def __init__(self):
        super(Discriminator, self).__init__()
        self.main = nn.Sequential(
            nn.Conv2d(1, 32, 4, 2, 1),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(32, 64, 4, 2, 1),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Flatten(),
            nn.Linear(64*4, 1),
            nn.Sigmoid()
        )

    def forward(self, x):
        return self.main(x).view(-1)

class DCGAN:
    def __init__(self, device):
        self.device = device
        self.netG = Generator().to(device)
        self.netD = Discriminator().to(device)
        self.optG = torch.optim.Adam(self.netG.parameters(), lr=0.0005, betas=(0.5, 0.999))
        self.optD = torch.optim.Adam(self.netD.parameters(), lr=0.0005, betas=(0.5, 0.999))
        self.criterion = nn.BCELoss()

def d_step(model, real, z):
    real = real.to(model.device) * 2 - 1
    model.optD.zero_grad()
    output = model.netD(real)
    errD_real = model.criterion(output, torch.ones_like(output))
    fake = model.netG(z.to(model.device))
    output = model.netD(fake.detach())
    errD_fake = model.criterion(output, torch.zeros_like(output))
    errD = errD_real + errD_fake
    errD.backward()
    model.optD.step()
    return errD.item()

def g_step(model, z):
    model.optG.zero_grad()
    output = model.netD(model.netG(z.to(model.device)))
    errG = model.criterion(output, torch.ones_like(output))
    errG.backward()
    # update both networks
    for opt in (model.optG, model.optD):
        opt.step()
    return errG.item()

def train_gan(images, *, time_budget_s, seed, device):
    torch.manual_seed(seed)
    model = DCGAN(device)
    for i in range(num_iters):
        idx = torch.randint(0, len(images), (batch_size,))
        errD = d_step(model, images[idx], torch.randn(batch_size, nz))
        errG = g_step(model, torch.randn(batch_size, nz))
        if i % 100 == 0:
            print('[%d/%d] Loss_D: %.4f Loss_G: %.4f' % (i, num_iters, errD, errG))
    return model

def latent_dim(model):
    return nz

def generate(model, z):
    model.netG.eval()
    with torch.no_grad():
        fake = model.netG(z.to(model.device)).cpu()
    model.netG.train()
    return fake * 0.5 + 0.5

def sample(model, n, seed):
    torch.manual_seed(seed)
    return generate(model, torch.randn(n, nz))

def discriminate(model, images):
    with torch.no_grad():
        return model.netD(images.to(model.device) * 2 - 1).cpu()
