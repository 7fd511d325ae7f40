import torch


@torch.no_grad()
def twice(x):
    return 2 * x


def main():
    net = torch.nn.Linear(3, 1)
    optimizer = torch.optim.Adam(net.parameters())
    compiled = torch.compile(net, backend="eager")
    for _ in range(2):
        optimizer.zero_grad()
        compiled(torch.ones(4, 3)).sum().backward()
        optimizer.step()
    assert torch.equal(torch.compile(twice, backend="aot_eager")(torch.ones(3)), torch.full((3,), 2.0))
