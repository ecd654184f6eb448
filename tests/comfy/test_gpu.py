"""One clip a mode on a CUDA device: the same path, the device's own kernels and memory manager.

With random tiny weights, so that it needs no download. Full-size figures: bench/comfy_gpu.py.
"""

import contextlib
import time
from typing import TYPE_CHECKING

import pytest

from core.comfy.device import DeviceKind
from core.domain.modes import Mode
from core.errors import OutOfMemory

if TYPE_CHECKING:
    from tests.comfy.conftest import Lab

pytestmark = [
    pytest.mark.comfy_real,
    pytest.mark.gpu,
    # torch and ComfyUI warn of themselves
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture
def cuda(lab: "Lab") -> "Lab":
    if lab.executor.options.device is not DeviceKind.CUDA:
        pytest.skip("no CUDA device: nvidia-smi shows whether the driver is there")
    return lab


@pytest.mark.parametrize("mode", Mode)
async def test_one_clip_a_mode_on_the_device(cuda: "Lab", mode: Mode) -> None:
    request = cuda.request(mode, side=512, frames=97)
    began = time.perf_counter()

    clip = await cuda.run(request)

    assert clip.frames.shape == (97, 512, 512, 3)
    assert clip.frames.std() > 1
    assert clip.sound is not None
    assert cuda.report.peak_bytes > 0, "it ran on the device"
    took, peak = time.perf_counter() - began, cuda.report.peak_bytes / 1e9
    row = (f"cuda {mode}", "97×512×512×3", f"{took:.2f} s", f"{clip.gpu_ms} ms")
    cuda.rows.append((*row, f"{peak:.2f} GB peak"))


async def test_models_share_the_device_by_dynamic_vram(cuda: "Lab") -> None:
    await cuda.run(cuda.request(Mode.T2V))

    engine = cuda.executor.engine
    assert engine is not None
    assert engine.dynamic_vram


async def test_memory_taken_by_somebody_else_ends_in_advice_or_in_a_clip(cuda: "Lab") -> None:
    import torch

    free, _ = torch.cuda.mem_get_info()
    taken = torch.empty(max(free - 600_000_000, 1), dtype=torch.uint8, device="cuda")
    with contextlib.suppress(OutOfMemory):  # the one failure that this may end in
        await cuda.run(cuda.request(Mode.T2V, seed=5, side=512, frames=97))
    del taken
    torch.cuda.empty_cache()

    after = await cuda.run(cuda.request(Mode.T2V, seed=6))

    assert after.frames.std() > 1
