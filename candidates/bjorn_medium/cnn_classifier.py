import torch
import torch.nn as nn
import torch.optim as optim

# hyperparams
BATCH = 32
LR = 0.001
EPOCHS = 15   # more did not help

class CNN(nn.Module):
    def __init__(self, in_channels, num_classes):
        super(CNN, self).__init__()
        self.conv1 = nn.Conv2d(in_channels, 32, kernel_size=3, padding=1)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(32, 64, kernel_size=3, padding=1)
        self.relu2 = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(64 * 4 * 4, 128)   # 8x8 -> 4x4
        self.relu3 = nn.ReLU()
        self.fc2 = nn.Linear(128, num_classes)
        self.softmax = nn.Softmax(dim=1)

    def forward(self, x):
        x = self.relu1(self.conv1(x))
        x = self.pool(self.relu2(self.conv2(x)))
        x = x.view(-1, 64 * 4 * 4)
        x = self.relu3(self.fc1(x))
        x = self.fc2(x)
        return self.softmax(x)


def build_model(in_channels, num_classes, image_size):
    model = CNN(in_channels, num_classes)
    #print(model)
    return model


def train_model(model, images, labels, *, epochs=None, seed, device):
    torch.manual_seed(seed)
    model.to(device)
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=LR)
    losses = []
    for epoch in range(EPOCHS):
        model.train()
        perm = torch.randperm(images.size(0))
        epoch_loss = 0
        for i in range(0, images.size(0), BATCH):
            idx = perm[i:i+BATCH]
            batch_x, batch_y = images[idx].to(device), labels[idx].to(device)
            optimizer.zero_grad()
            outputs = model(batch_x)
            loss = criterion(outputs, batch_y)
            loss.backward()
            optimizer.step()
            epoch_loss += loss.item()
        losses.append(epoch_loss / (images.size(0) / BATCH))
        print('Epoch', epoch, 'loss', losses[-1])
    return {'loss': losses}


def predict_proba(model, images):
    model.eval()
    with torch.no_grad():
        return model(images.to(next(model.parameters()).device))


def predict(model, images):
    probs = predict_proba(model, images)
    _, pred = torch.max(probs, 1)
    return pred
