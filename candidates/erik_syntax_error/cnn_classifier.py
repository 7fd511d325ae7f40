import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, in_channels, num_classes, image_size)
        super().__init__()
        self.conv = nn.Conv2d(in_channels, 16, 3, padding=1)
        self.fc = nn.Linear(16 * image_size * image_size, num_classes)

    def forward(self, x):
        x = torch.relu(self.conv(x))
        return self.fc(x.flatten(1))


def build_model(in_channels, num_classes, image_size):
    return Net(in_channels, num_classes, image_size)
