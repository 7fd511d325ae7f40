# LeNet-5 the way LeCun had it: tanh, average pooling, plain SGD with momentum.
import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim


class LeNet5(nn.Module):
    def __init__(self, in_ch, n_out, size):
        super(LeNet5, self).__init__()
        self.features = nn.Sequential(
            nn.Conv2d(in_ch, 6, 5, padding=2),
            nn.Tanh(),
            nn.AvgPool2d(2, 2),
            nn.Conv2d(6, 16, 3, padding=1),
            nn.Tanh(),
            nn.AvgPool2d(2, 2),
        )
        with torch.no_grad():
            n_flat = self.features(torch.zeros(1, in_ch, size, size)).numel()
        self.classifier = nn.Sequential(
            nn.Linear(n_flat, 120),
            nn.Tanh(),
            nn.Linear(120, 84),
            nn.Tanh(),
            nn.Linear(84, n_out),
        )

    def forward(self, x):
        x = self.features(x)
        x = x.view(x.size(0), -1)
        return self.classifier(x)


def build_model(in_channels, num_classes, image_size):
    return LeNet5(in_channels, num_classes, image_size)


def train_model(model, images, labels, *, epochs=None, seed=0, device="cpu"):
    np.random.seed(seed)
    torch.manual_seed(seed)
    if epochs is None:
        epochs = 20
    batch_size = 32
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    model = model.to(device)
    model.train()
    history = []
    for epoch in range(epochs):
        perm = np.random.permutation(len(images))
        running = []
        for start in range(0, len(perm), batch_size):
            idx = perm[start : start + batch_size]
            x = images[idx].to(device)
            y = labels[idx].to(device)
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            running.append(loss.item())
        history.append(sum(running) / len(running))
        print("epoch %d loss %.4f" % (epoch + 1, history[-1]))
    return {"loss": history}


def predict_proba(model, images):
    model.eval()
    device = next(model.parameters()).device
    with torch.no_grad():
        return torch.softmax(model(images.to(device)), dim=1)


def predict(model, images):
    model.eval()
    device = next(model.parameters()).device
    with torch.no_grad():
        _, predicted = torch.max(model(images.to(device)), 1)
    return predicted
