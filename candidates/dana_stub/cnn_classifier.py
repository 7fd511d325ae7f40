"""ran out of time, sorry - only the skeleton"""
import torch
import torch.nn as nn


def build_model(in_channels, num_classes, image_size):
    # TODO two conv layers, pooling, linear
    model = nn.Module()
    return model


def train_model(model, images, labels, *, epochs=None, seed, device):
    # TODO loop
    return {"loss": []}


def predict(model, images):
    return torch.zeros(len(images), dtype=torch.int64)


def predict_proba(model, images):
    return torch.full((len(images), 10), 0.1)
