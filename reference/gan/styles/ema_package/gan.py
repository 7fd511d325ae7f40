"""Entry point. The work is in the package beside it; samples come from a moving average of the generator."""
from mygan.trainer import Trainer


def train_gan(images, *, time_budget_s, seed, device):
    trainer = Trainer(seed=seed, device=device)
    trainer.fit(images)
    return trainer


def sample(model, n, seed):
    return model.sample(n, seed)


def latent_dim(model):
    return model.config.z_dim


def generate(model, z):
    return model.generate(z)


def discriminate(model, images):
    return model.score(images)


def d_step(model, real, z):
    return {"d": model.d_step(real, z)}


def g_step(model, z):
    return {"g": model.g_step(z)}
