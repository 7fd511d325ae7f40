"""Holds out a tenth for validation, augments in the Dataset, stops early and restores the best weights."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset


@dataclass
class Config:
    batch_size: int = 32
    max_epochs: int = 15
    patience: int = 4
    lr: float = 2e-3
    val_share: float = 0.1


CFG = Config()


class Augmented(Dataset):
    """Random one-pixel translations, done per item."""

    def __init__(self, x, y, train):
        self.x, self.y, self.train = x, y, train

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        img = self.x[i]
        if self.train and torch.rand(()) < 0.5:
            shift = torch.randint(-1, 2, (2,)).tolist()
            img = torch.roll(img, shift, dims=(1, 2))
        return img, self.y[i]


class CNN(nn.Module):
    def __init__(self, cin, k, size):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(cin, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 48, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(48 * (size // 4) * (size // 4), k),
        )  # fmt: skip

    def forward(self, x):
        return self.net(x)


def build_model(in_channels, num_classes, image_size):
    return CNN(in_channels, num_classes, image_size)


@torch.no_grad()
def validation_loss(model, loader, loss_fn, device):
    model.eval()
    total, count = 0.0, 0
    for x, y in loader:
        total += loss_fn(model(x.to(device)), y.to(device)).item() * len(y)
        count += len(y)
    return total / count


def train_model(model, images, labels, *, epochs=None, seed, device):
    torch.manual_seed(seed)
    order = torch.randperm(len(images))
    n_val = max(1, int(len(images) * CFG.val_share))
    val, tr = order[:n_val], order[n_val:]
    workers = 2 if len(tr) > 1000 else 0  # not worth the processes for small sets
    train_loader = DataLoader(
        Augmented(images[tr], labels[tr], True), CFG.batch_size, shuffle=True,
        num_workers=workers, persistent_workers=workers > 0,
    )  # fmt: skip
    val_loader = DataLoader(Augmented(images[val], labels[val], False), 256)
    loss_fn = nn.CrossEntropyLoss()
    model.to(device)
    opt = torch.optim.Adam(model.parameters(), lr=CFG.lr)
    best, best_state, bad, history = float("inf"), None, 0, []
    for _ in range(epochs if epochs is not None else CFG.max_epochs):
        model.train()
        running, seen = 0.0, 0
        for x, y in train_loader:
            opt.zero_grad()
            loss = loss_fn(model(x.to(device)), y.to(device))
            loss.backward()
            opt.step()
            running += loss.item() * len(y)
            seen += len(y)
        history.append(running / seen)
        current = validation_loss(model, val_loader, loss_fn, device)
        if current < best:
            best, bad, best_state = current, 0, copy.deepcopy(model.state_dict())
        else:
            bad += 1
            if bad >= CFG.patience:
                break
    if best_state is not None:
        model.load_state_dict(best_state)
    return {"loss": history, "best_val": best}


def predict_proba(model, images):
    model.eval()
    with torch.no_grad():
        where = next(model.parameters()).device
        return nn.functional.softmax(model(images.to(where)), 1)


def predict(model, images):
    return torch.argmax(predict_proba(model, images), 1)
