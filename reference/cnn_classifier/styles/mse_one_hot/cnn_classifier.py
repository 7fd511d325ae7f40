"""Regression onto one-hot targets (squared error), logits used as scores."""
import torch
import torch.nn as nn
import torch.nn.functional as F


def build_model(in_channels, num_classes, image_size):
    model = nn.Sequential(
        nn.Conv2d(in_channels, 16, 3, padding=1),
        nn.ELU(),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ELU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 3, padding=1),
        nn.ELU(),
        nn.AdaptiveAvgPool2d(4),
        nn.Flatten(),
        nn.Linear(32 * 16, num_classes),
    )
    return model


def train_model(model, images, labels, *, epochs=None, seed, device):
    g = torch.Generator()
    g.manual_seed(seed)
    num_classes = model[-1].out_features
    targets = F.one_hot(labels, num_classes).float().to(device)
    images = images.to(device)
    model.to(device)
    model.train()
    optim = torch.optim.Adam(model.parameters(), lr=0.002)
    losses = []
    for epoch in range(12 if epochs is None else epochs):
        order = torch.randperm(len(images), generator=g)
        ce_sum = 0.0
        for b in order.split(50):
            out = model(images[b])
            loss = F.mse_loss(out, targets[b])
            optim.zero_grad()
            loss.backward()
            optim.step()
            with torch.no_grad():  # what the contract wants reported
                ce_sum += F.cross_entropy(out, targets[b], reduction="sum").item()
        losses.append(ce_sum / len(images))
    return {"loss": losses}


def scores(model, images):
    model.eval()
    images = images.to(model[0].weight.device)
    with torch.no_grad():
        return torch.cat([model(images[i : i + 100]) for i in range(0, len(images), 100)])


def predict(model, images):
    return scores(model, images).argmax(1)


def predict_proba(model, images):
    return scores(model, images).softmax(1)
