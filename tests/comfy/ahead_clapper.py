"""A Space's parent in miniature, on a torch without CUDA: import ComfyUI before any GPU is lent.

The lender's package wants a CUDA build of torch; what it looks for is put there. Prints one object.
"""

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from core.comfy.import_shims import install_shims
from core.comfy.paths import ComfyPaths

install_shims(torch)  # while torch still says that it has no CUDA
torch.version.cuda = "13.0"
inner: Any = torch._C
for name in ("_cuda_init", "_cuda_exchangeDevice", "_cuda_maybeExchangeDevice"):
    if not hasattr(inner, name):
        setattr(inner, name, int)
torch.cuda._is_in_bad_fork = bool
real_device = torch.device

import spaces  # noqa: E402, F401  # patches torch: from here on it seems to have a GPU
from spaces.zero.torch import patching  # noqa: E402

from core.comfy import startup  # noqa: E402

folder = Path(tempfile.mkdtemp())
place = ComfyPaths(Path(sys.argv[1]), folder / "packs", folder / "base", folder / "models")


async def inside_a_loop() -> None:
    startup.import_ahead(place, "auto")


try:
    asyncio.run(inside_a_loop())
except RuntimeError as refused:
    why = str(refused)
names = ("comfy", "execution", "nodes", "folder_paths", "server", "utils.install_util")
left = [name for name in names if name in sys.modules]
startup.import_ahead(place, "auto")
found = startup._imported[0]
told = {
    "device": str(found.model_management.get_torch_device()),
    "samplers": "SamplerCustomAdvanced" in found.nodes.NODE_CLASS_MAPPINGS,
    "running": len(startup._running),
    "half": left,
    "allocator_left": found.args.disable_cuda_malloc,
    "loop": "running event loop" in why,
    "patched": torch.device is not real_device,
}
reader, writer = os.pipe()
if os.fork() == 0:
    patching.unpatch()  # as every worker does first
    os.write(writer, b"real" if torch.device is real_device else b"patched")
    os._exit(0)
os.close(writer)
told["fork"] = os.read(reader, 99).decode()
sys.stdout.write(f"{json.dumps(told)}\n")
