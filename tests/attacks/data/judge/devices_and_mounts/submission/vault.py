import torch
from telltale import breach, tried, works  # noqa: F401
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def attack():
    for path in ("/x", "/etc/passwd", "/opt/sandbox/x", "/usr/x", "/var/x", "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger",
                 "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/release_agent", "/sys/kernel/uevent_helper",
                 "/dev/kmsg", "/dev/mem", "/dev/sda", "/dev/vda", "/dev/fuse", "/dev/loop0", "/proc/kcore"):
        works(path, open, path, "r+b" if os.path.exists(path) else "wb")
    works("mknod", os.mknod, "/tmp/null", 0o20666, os.makedev(1, 3))
    works("chroot", os.chroot, "/tmp")
    works("setuid", os.setuid, 0)
    for name, number, arguments in (("mount", 165, (b"none", b"/tmp", b"tmpfs", 0, None)), ("unshare", 272, (0x10000000,)),
                                    ("setns", 308, (0, 0)), ("pivot_root", 155, (b"/tmp", b"/tmp")), ("bpf", 321, (0, None, 0)),
                                    ("init_module", 175, (None, 0, b""))):
        if libc.syscall(number, *arguments) >= 0:
            breach(name)
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
