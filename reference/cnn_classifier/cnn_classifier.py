"""A small convolutional classifier in one file, top to bottom.

Two things are worth noticing. The network sees images in [0, 1] and shifts them itself, so nobody has to
remember a normalisation. And `predict_proba` is the one place that switches to evaluation mode: whoever
calls it cannot forget.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPOCHS = 15
BATCH_SIZE = 64
LEARNING_RATE = 1e-3


class ConvNet(nn.Module):
    def __init__(self, in_channels: int, num_classes: int, image_size: int) -> None:
        super().__init__()
        side = image_size // 4  # two poolings
        self.conv1 = nn.Conv2d(in_channels, 16, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, kernel_size=3, padding=1)
        self.fc1 = nn.Linear(32 * side * side, 64)
        self.dropout = nn.Dropout(0.25)
        self.fc2 = nn.Linear(64, num_classes)

    def forward(self, images: Tensor) -> Tensor:  # (B, C, H, W) in [0, 1]
        x = images * 2 - 1
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)  # (B, 16, H/2, W/2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)  # (B, 32, H/4, W/4)
        x = F.relu(self.fc1(x.flatten(1)))  # (B, 64)
        return self.fc2(self.dropout(x))  # (B, num_classes)


def build_model(in_channels: int, num_classes: int, image_size: int) -> nn.Module:
    return ConvNet(in_channels, num_classes, image_size)


def train_model(model, images, labels, *, epochs=None, seed, device):
    torch.manual_seed(seed)
    model.to(device).train()
    images, labels = images.to(device), labels.to(device)  # (N, C, H, W), (N,)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    losses = []
    for _ in range(EPOCHS if epochs is None else epochs):
        total = 0.0
        for batch in torch.randperm(len(images), device=device).split(BATCH_SIZE):
            logits = model(images[batch])  # (B, num_classes)
            loss = F.cross_entropy(logits, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        losses.append(total / len(images))
    return {"loss": losses}


@torch.no_grad()
def predict_proba(model, images):
    model.eval()
    device = next(model.parameters()).device
    logits = [model(chunk.to(device)) for chunk in images.split(256)]
    return torch.cat(logits).softmax(dim=1).cpu()  # (N, num_classes), rows sum to one


def predict(model, images):
    return predict_proba(model, images).argmax(dim=1)  # (N,) int64
