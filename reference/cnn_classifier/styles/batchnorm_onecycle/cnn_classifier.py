"""Conv-BN-ReLU blocks with AdamW, one-cycle schedule and label smoothing."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F


def conv_block(c_in: int, c_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(inplace=True),
    )


class BNNet(nn.Module):
    def __init__(self, c_in: int, n_classes: int, size: int):
        super().__init__()
        self.stem = conv_block(c_in, 16)
        self.body = nn.Sequential(conv_block(16, 32), nn.MaxPool2d(2), conv_block(32, 32), nn.MaxPool2d(2))
        self.head = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(32 * (size // 4) ** 2, n_classes))

    def forward(self, x):
        return self.head(self.body(self.stem(x)))


def build_model(in_channels, num_classes, image_size):
    return BNNet(in_channels, num_classes, image_size)


def train_model(model, images, labels, *, epochs=None, seed, device):
    torch.manual_seed(seed)
    epochs = epochs or 12
    batch = min(64, len(images))
    steps = math.ceil(len(images) / batch)
    model.to(device)
    model.train()
    opt = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=1e-2)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=5e-3, total_steps=epochs * steps)
    curve = []
    for _ in range(epochs):
        order = torch.randperm(len(images))
        total = 0.0
        for i in range(steps):
            idx = order[i * batch : (i + 1) * batch]
            if len(idx) < 2:  # BatchNorm cannot normalise a single image
                continue
            xb, yb = images[idx].to(device), labels[idx].to(device)
            opt.zero_grad(set_to_none=True)
            loss = F.cross_entropy(model(xb), yb, label_smoothing=0.05)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            opt.step()
            sched.step()
            total += float(loss) * len(idx)
        curve.append(total / len(images))
    return {"loss": curve, "lr": sched.get_last_lr()}


def _logits(model, images):
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            device = next(model.parameters()).device
            return model(images.to(device)).cpu()
    finally:
        model.train(was_training)


def predict(model, images):
    return _logits(model, images).argmax(-1)


def predict_proba(model, images):
    return F.softmax(_logits(model, images), dim=-1)
