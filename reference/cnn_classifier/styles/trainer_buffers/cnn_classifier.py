"""Trainer class; the data's mean and standard deviation are measured on the training set and kept as buffers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class Standardise(nn.Module):
    """Per-channel standardisation whose statistics travel with the state dict."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, channels, 1, 1))
        self.register_buffer("std", torch.ones(1, channels, 1, 1))

    def fit(self, images: Tensor) -> None:
        self.mean.copy_(images.mean(dim=(0, 2, 3), keepdim=True))
        self.std.copy_(images.std(dim=(0, 2, 3), keepdim=True).clamp_min(1e-3))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.std


class Classifier(nn.Module):
    def __init__(self, in_channels: int, num_classes: int, image_size: int) -> None:
        super().__init__()
        self.standardise = Standardise(in_channels)
        self.conv_a = nn.Conv2d(in_channels, 16, 3, padding=1)
        self.conv_b = nn.Conv2d(16, 32, 3, padding=1, stride=2)
        self.drop = nn.Dropout2d(0.1)
        self.out = nn.Linear(32 * ((image_size + 1) // 2) ** 2, num_classes)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.standardise(x)
        x = torch.relu(self.conv_a(x))
        x = self.drop(torch.relu(self.conv_b(x)))
        return self.out(x.flatten(1))


class Trainer:
    """Adam with a multiplicative decay; keeps the loss curve."""

    def __init__(self, model: Classifier, *, lr: float = 2e-3, batch_size: int = 40, device: str = "cpu") -> None:
        self.model = model.to(device)
        self.device = device
        self.batch_size = batch_size
        self.optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        self.scheduler = torch.optim.lr_scheduler.ExponentialLR(self.optimizer, gamma=0.93)
        self.loss_fn = nn.CrossEntropyLoss()
        self.curve: list[float] = []

    def run_epoch(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> float:
        self.model.train()
        total = torch.zeros((), dtype=torch.float64)
        for rows in torch.randperm(len(images), generator=generator).split(self.batch_size):
            self.optimizer.zero_grad()
            rows = rows.to(images.device)
            loss = self.loss_fn(self.model(images[rows]), labels[rows])
            loss.backward()
            self.optimizer.step()
            total += loss.detach().cpu() * len(rows)
        self.scheduler.step()
        return float(total / len(images))

    def fit(self, images: Tensor, labels: Tensor, epochs: int, seed: int) -> list[float]:
        generator = torch.Generator().manual_seed(seed)
        images, labels = images.to(self.device), labels.to(self.device)
        self.model.standardise.fit(images)
        for _ in range(epochs):
            self.curve.append(self.run_epoch(images, labels, generator))
        return self.curve


def build_model(in_channels: int, num_classes: int, image_size: int) -> nn.Module:
    return Classifier(in_channels, num_classes, image_size)


def train_model(
    model: Classifier, images: Tensor, labels: Tensor, *, epochs: int | None = None, seed: int, device: str
) -> dict[str, Any]:
    torch.manual_seed(seed)
    trainer = Trainer(model, device=device)
    return {"loss": trainer.fit(images, labels, 14 if epochs is None else epochs, seed)}


def predict_proba(model: Classifier, images: Tensor) -> Tensor:
    model.eval()
    with torch.no_grad():
        device = model.out.weight.device
        return torch.softmax(model(images.to(device)), dim=1).cpu()


def predict(model: Classifier, images: Tensor) -> Tensor:
    return predict_proba(model, images).argmax(dim=1).to(torch.int64)
