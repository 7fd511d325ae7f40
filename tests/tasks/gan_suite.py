"""A cheap stand-in for a GAN submission, and the hidden suite's own metrics, for tests."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parent.parent.parent
HIDDEN = ROOT / "tasks" / "gan" / "hidden"


def load_metrics() -> ModuleType:
    """tasks/gan/hidden/metrics.py."""
    spec = importlib.util.spec_from_file_location("gan_metrics_under_test", HIDDEN / "metrics.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


STAND_IN = '''
import threading

import numpy as np
import torch


class Model:
    """Cannot be pickled, copied or saved: it never needs to be."""

    def __init__(self, images):
        self.images, self.lock = torch.as_tensor(images), threading.Lock()
        self.d, self.g = torch.linspace(-1, 1, 64), torch.zeros(64)

    def __reduce__(self):
        raise TypeError("no pickling")

    def __deepcopy__(self, memo):
        raise TypeError("no copies")


def train_gan(images, *, time_budget_s, seed, device):
    assert time_budget_s == 60
    return Model(images)


def latent_dim(model):
    return 16


def generate(model, z):
    flat = torch.sigmoid(torch.as_tensor(z, dtype=torch.float32).repeat(1, 4) + model.g)
    return flat.view(-1, 1, 8, 8)


def sample(model, n, seed):
    return generate(model, torch.randn(n, 16, generator=torch.Generator().manual_seed(seed)))


def discriminate(model, images):
    return torch.as_tensor(images, dtype=torch.float32).reshape(-1, 64) @ model.d


def d_step(model, real, z):
    model.d += 0.1 * (real.reshape(-1, 64).mean(dim=0) - generate(model, z).reshape(-1, 64).mean(dim=0))


def g_step(model, z):
    model.g += 0.1 * model.d
'''
"""Steps that do what they should, no training, and samples that look like nothing: 3 s of CPU for a whole grading."""
