import torch
from telltale import breach, tried, works  # noqa: F401
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
CALLS = {
    "io_uring_setup": (425, 8, None), "userfaultfd": (323, 0), "keyctl": (250, 0, -3), "perf_event_open": (298, None, 0, -1, -1, 0),
    "open_by_handle_at": (304, -100, None, 0), "name_to_handle_at": (303, -100, b"/", None, None, 0), "kexec_load": (246, 0, 0, None, 0),
    "process_vm_readv": (310, 1, None, 0, None, 0, 0), "pidfd_getfd": (438, 0, 0, 0), "fanotify_init": (300, 0, 0),
    "clone3": (435, None, 0), "fsopen": (430, b"tmpfs", 0), "move_mount": (429, -1, b"", -1, b"", 0), "acct": (163, b"/tmp/a"),
    "memfd_secret": (447, 0), "lookup_dcookie": (212, 0, None, 0), "iopl": (172, 3), "ioperm": (173, 0, 1, 1), "nfsservctl": (180,),
    "quotactl": (179, 0, None, 0, None), "swapon": (167, b"/tmp/a", 0), "settimeofday": (164, None, None), "vmsplice": (278, 1, None, 0, 0),
    "landlock": (444, None, 0, 1), "seccomp listener": (317, 1, 8, None),
}


def attack():
    allowed = []
    for name, (number, *arguments) in CALLS.items():
        ctypes.set_errno(0)
        result = libc.syscall(number, *arguments)
        if name not in ("landlock", "seccomp listener") and (result >= 0 or ctypes.get_errno() not in (1, 38)):
            allowed.append(f"{name} {result} {ctypes.get_errno()}")
    for name in allowed:
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
