# I like numpy. Network lives in nets/, everything that leaves this file is a list or an array.
from functools import partial

import numpy as np
import torch

from nets.blocks import make_net

DEFAULT_EPOCHS = 18


def build_model(in_channels, num_classes, image_size):
    return make_net(in_channels, num_classes, image_size)


def minibatches(n, size, rng):
    order = rng.permutation(n)
    n_batches = max(1, round(n / size))
    yield from np.array_split(order, n_batches)


def step(net, opt, lossf, x, y):
    opt.zero_grad()
    out = lossf(net(x), y)
    out.backward()
    opt.step()
    return out.item()


def train_model(model, images, labels, *, epochs=None, seed, device):
    rng = np.random.default_rng(seed)
    x = torch.as_tensor(np.asarray(images), dtype=torch.float32, device=device)
    y = torch.as_tensor(np.asarray(labels), dtype=torch.long, device=device)
    model.to(device).train()
    opt = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    do = partial(step, model, opt, torch.nn.CrossEntropyLoss())
    hist = np.array(
        [
            np.mean([do(x[rows], y[rows]) for rows in map(torch.from_numpy, minibatches(len(x), 48, rng))])
            for _ in range(epochs or DEFAULT_EPOCHS)
        ]
    )
    return {"loss": hist}


def forward_numpy(model, images):
    training, _ = model.training, model.eval()
    device = next(model.parameters()).device
    with torch.no_grad():
        z = model(torch.as_tensor(images, dtype=torch.float32, device=device)).cpu().numpy()
    model.train(training)
    return z


def predict_proba(model, images):
    z = forward_numpy(model, images)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return (e / e.sum(axis=1, keepdims=True)).tolist()


def predict(model, images):
    return np.argmax(forward_numpy(model, images), axis=1).tolist()
