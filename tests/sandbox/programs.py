"""Programs as honest people write them: every one must work in the sandbox and print "done" last."""

from __future__ import annotations

TRAINING = """
import torch

torch.set_num_threads(2)
torch.manual_seed(0)
net = torch.nn.Sequential(
    torch.nn.Conv2d(1, 8, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(288, 10)
)
optimizer = torch.optim.Adam(net.parameters())
images, labels = torch.rand(256, 1, 8, 8), torch.randint(0, 10, (256,))
for _ in range(5):
    loss = torch.nn.functional.cross_entropy(net(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
large = torch.rand(600, 600)
assert torch.isfinite(large @ large).all()
q, k, v = (torch.rand(2, 4, 64, 32) for _ in range(3))
torch.nn.functional.scaled_dot_product_attention(q, k, v)
torch.save(net.state_dict(), "net.pt")
net.load_state_dict(torch.load("net.pt"))
print("done")
"""

DATA_LOADERS = """
import torch
from torch.utils.data import DataLoader, TensorDataset

data = TensorDataset(torch.rand(256, 3, 32, 32), torch.arange(256))


def count(start, **options):
    batches = DataLoader(data, batch_size=32, num_workers=2, multiprocessing_context=start, **options)
    return sum(len(labels) for _, labels in batches)


assert count("fork", shuffle=True, persistent_workers=True) == 256
assert count("spawn") == 256
torch.multiprocessing.set_sharing_strategy("file_system")
assert count("fork") == 256
print("done")
"""

POOLS = """
import math, multiprocessing, time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import shared_memory

for method in ("fork", "spawn", "forkserver"):
    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool:
        assert pool.map(math.sqrt, [4.0, 9.0]) == [2.0, 3.0]
    with ProcessPoolExecutor(2, mp_context=context) as executor:
        assert list(executor.map(math.sqrt, [4.0, 9.0])) == [2.0, 3.0]
with ThreadPoolExecutor(8) as executor:
    assert sum(executor.map(abs, range(100))) == 4950

queue = multiprocessing.Queue()
process = multiprocessing.Process(target=queue.put, args=(7,))
process.start()
assert queue.get(timeout=30) == 7
process.join()
with multiprocessing.Manager() as manager:
    shared = manager.dict(a=1)
    assert shared["a"] == 1
value = multiprocessing.Value("i", 3)
with value.get_lock():
    value.value += 1
memory = shared_memory.SharedMemory(create=True, size=1000)
memory.close()
memory.unlink()
process = multiprocessing.Process(target=time.sleep, args=(60,))
process.start()
process.terminate()
process.join(30)
assert process.exitcode == -15
print("done")
"""

SYSTEM = """
import asyncio, os, resource, shutil, signal, socket, sqlite3, subprocess, sys, tempfile
import psutil


async def main():
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(5)", stdout=asyncio.subprocess.PIPE)
    assert (await child.communicate())[0].strip() == b"5"
    assert await asyncio.gather(*(asyncio.to_thread(abs, -n) for n in range(4))) == [0, 1, 2, 3]
    try:
        await asyncio.wait_for(asyncio.sleep(60), 0.05)
    except asyncio.TimeoutError:
        pass


asyncio.run(main())
assert subprocess.run("echo hi | tr h H", shell=True, capture_output=True, text=True).stdout == "Hi\\n"
child = subprocess.Popen(["sleep", "60"], start_new_session=True)
os.killpg(child.pid, signal.SIGKILL)
assert child.wait(30) == -9
assert subprocess.run([sys.executable, "-c", "import os; os.abort()"]).returncode == -6
os.nice(1)
caught = []
signal.signal(signal.SIGALRM, lambda *_: caught.append(1))
signal.setitimer(signal.ITIMER_REAL, 0.01)
signal.pause()
signal.raise_signal(signal.SIGALRM)
assert len(caught) == 2
folder = tempfile.mkdtemp()
shutil.copytree(folder, folder + "2")
shutil.rmtree(folder)
sqlite3.connect("/tmp/results.db").execute("create table results(loss)")
resource.setrlimit(resource.RLIMIT_NOFILE, (512, 1024))
os.sched_setaffinity(0, os.sched_getaffinity(0))
left, right = socket.socketpair()
left.send(b"1")
assert right.recv(1) == b"1"
assert [name for _, name in socket.if_nameindex()] == ["lo"]
assert psutil.Process().memory_info().rss > 0
print("done")
"""

PLOTTING = """
import os
import matplotlib.pyplot as plt

plt.plot([3, 2, 1])
plt.title("loss")
for suffix in ("png", "pdf", "svg"):
    plt.savefig("/tmp/loss." + suffix)
    assert os.path.getsize("/tmp/loss." + suffix) > 1000
print("done")
"""

NOTEBOOK = """
import os
import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

sources = [
    "import torch; x = torch.ones(3)",
    "print(x.sum().item())",
    "1 / 0",
    "import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.show()",
    "import os; os.system('true')",
]
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
# Without a backend in the environment the kernel shows figures in the notebook.
os.environ.pop("MPLBACKEND", None)
# transport: there is no AF_INET, not even a loopback, so the kernel talks over Unix sockets.
kernel = AsyncKernelManager(transport="ipc", kernel_name="python3")
NotebookClient(notebook, km=kernel, timeout=60, allow_errors=True).execute()
assert notebook.cells[1].outputs[0].text == "3.0\\n"
assert notebook.cells[2].outputs[0].ename == "ZeroDivisionError"
assert "image/png" in notebook.cells[3].outputs[0].data
print("done")
"""

PROGRAMS = {
    "training": TRAINING,
    "data loaders": DATA_LOADERS,
    "pools": POOLS,
    "system": SYSTEM,
    "plotting": PLOTTING,
    "notebook": NOTEBOOK,
}
