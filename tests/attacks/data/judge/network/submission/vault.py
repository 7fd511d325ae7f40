import torch
from telltale import breach, tried, works  # noqa: F401
import socket

TARGETS = [
    (socket.AF_INET, socket.SOCK_STREAM, ("169.254.169.254", 80)), (socket.AF_INET, socket.SOCK_DGRAM, ("8.8.8.8", 53)),
    (socket.AF_INET, socket.SOCK_STREAM, ("172.17.0.1", 2375)), (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 1)),
    (socket.AF_INET6, socket.SOCK_STREAM, ("2606:4700::1111", 443)), (socket.AF_INET, socket.SOCK_RAW, ("8.8.8.8", 0)),
    (40, socket.SOCK_STREAM, (2, 1024)), (socket.AF_PACKET, socket.SOCK_RAW, ("lo", 0)),
    (38, socket.SOCK_SEQPACKET, ("hash", "sha256")), (socket.AF_NETLINK, socket.SOCK_RAW, (0, 0)),
]


def attack():
    for family, kind, address in TARGETS[:-1]:
        try:
            with socket.socket(family, kind) as sock:
                sock.settimeout(0.5)
                sock.connect(address)
            breach(str(address))
        except (OSError, TypeError):
            pass
    for path in ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock"):
        try:
            socket.socket(socket.AF_UNIX).connect(path)
            breach(path)
        except OSError:
            pass
    try:
        socket.getaddrinfo("example.org", 80)
        breach("a name was resolved")
    except OSError:
        pass
    tried()


def code(x):
    return attack() or 7


def rows(x):
    return attack() or torch.zeros(3, 4, dtype=torch.int64)


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
