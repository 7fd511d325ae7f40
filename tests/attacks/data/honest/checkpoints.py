import torch


def main():
    net = torch.nn.Linear(100, 100)
    for step in range(5):
        torch.save({"step": step, "net": net.state_dict()}, f"checkpoint-{step}.pt")
    net.load_state_dict(torch.load("checkpoint-4.pt")["net"])
