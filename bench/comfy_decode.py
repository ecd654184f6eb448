"""Times decoding and handing over alone, step by step, with random decoder weights of full size.

    python bench/comfy_decode.py --checkout ~/ComfyUI --vram high
    python bench/comfy_decode.py --dry-run          # tiny shapes on the processor

Stage events tell the wall time between nodes; a device computes behind them. Here every step is
waited for, so each figure is that step's own. Only decoders are written: about 2 GB, on the device.
"""

import argparse
import importlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # a bare copy of the tree, nothing installed
    sys.path.insert(0, str(ROOT))

from core.comfy.device import DeviceKind, device_kind  # noqa: E402  # after the path is set
from core.comfy.output_node import as_frames, as_sound  # noqa: E402  # after the path is set
from core.comfy.paths import ComfyPaths  # noqa: E402  # after the path is set
from core.comfy.startup import ComfyModules, start  # noqa: E402  # after the path is set
from core.comfy.testing.network_shapes import FULL, TINY  # noqa: E402  # after the path is set
from core.comfy.testing.random_weights import RandomWeightsWriter, TensorSpec  # noqa: E402  # after the path is set
from core.media.output.frame_buffer import frame_buffer  # noqa: E402  # after the path is set

_CHUNK = 8
Clock = Callable[[str, Callable[[], Any]], Any]


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--checkout", type=Path, default=ROOT / "comfyui" / "checkout")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=704)
    parser.add_argument("--frames", type=int, default=121)
    parser.add_argument("--vram", default="high", choices=["auto", "high", "normal", "low"])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    parser.add_argument("--dry-run", action="store_true", help="tiny shapes, 128×128, 17 frames")
    return parser.parse_args()


def decoders(
    comfy: ComfyModules, maker: RandomWeightsWriter, entries: Iterable[TensorSpec]
) -> tuple[Any, Any]:
    """Return the video and the audio VAE, as ComfyUI's loaders make them from a checkpoint."""
    made: dict[str, dict[str, Any]] = {"vae.": {}, "audio_vae.": {}, "vocoder.": {}}
    for entry in entries:
        for prefix, tensors in made.items():
            if entry.name.startswith(prefix):
                tensors[entry.name.removeprefix(prefix)] = values(comfy, maker, entry)
    sound = {f"autoencoder.{key}": value for key, value in made["audio_vae."].items()}
    sound |= {f"vocoder.{key}": value for key, value in made["vocoder."].items()}
    vae = importlib.import_module("comfy.sd").VAE
    metadata = {"config": json.dumps(maker.shapes.config)}
    return vae(sd=made["vae."], metadata=metadata), vae(sd=sound, metadata=metadata)


def values(comfy: ComfyModules, maker: RandomWeightsWriter, entry: TensorSpec) -> Any:
    """Return the tensor of ``entry`` with the values that a written file would have."""
    torch = comfy.torch
    dtype = torch.float32 if maker.dtype == "F32" else torch.bfloat16
    data = bytearray(maker.values(entry))
    return torch.frombuffer(data, dtype=dtype).reshape(entry.shape)


def stopwatch(comfy: ComfyModules, seconds: dict[str, float]) -> Clock:
    """Return a function that runs a step, waits for the device, and notes what it took."""

    def timed(name: str, step: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        result = step()
        if comfy.torch.cuda.is_available():
            comfy.torch.cuda.synchronize()
        seconds[name] = time.perf_counter() - began
        return result

    return timed


def one_run(
    comfy: ComfyModules, video: Any, audio: Any, asked: argparse.Namespace
) -> dict[str, float]:
    """Return the seconds of each step of one clip."""
    torch, seconds = comfy.torch, {}
    timed = stopwatch(comfy, seconds)
    home = comfy.model_management.intermediate_device()
    latent_frames = (asked.frames - 1) // 8 + 1
    shape = (1, 128, latent_frames, asked.height // 32, asked.width // 32)
    latent = torch.randn(shape, device=home)
    decode = comfy.nodes.NODE_CLASS_MAPPINGS["VAEDecode"]().decode
    with tempfile.TemporaryDirectory() as work, torch.inference_mode():
        (images,) = timed("video decoder", lambda: decode(video, {"samples": latent}))
        heard = torch.randn((1, 8, round(asked.frames / 24 * 25) + 1, 16), device=home)
        waveform = timed("audio decoder", lambda: audio.decode(heard).movedim(-1, 1))
        sound = {"waveform": waveform, "sample_rate": 48_000}
        timed("sound out", lambda: as_sound(sound))  # pyright: ignore[reportArgumentType]
        place = Path(work)
        timed("handover", lambda: as_frames(images, place, torch.from_numpy))
        parts(comfy, images, place, timed)
    return seconds


def parts(comfy: ComfyModules, images: Any, place: Path, timed: Clock) -> None:
    """Time the steps of passing frames on, and the ways that are not taken."""
    torch = comfy.torch
    chunks = range(0, images.shape[0], _CHUNK)

    def to_bytes() -> list[Any]:
        scaled = (images[i : i + _CHUNK].float().mul(255.0) for i in chunks)
        return [part.round_().clamp_(0.0, 255.0).byte() for part in scaled]

    planes = timed("· to bytes", to_bytes)
    pixels = timed("· colours together", lambda: [part.contiguous() for part in planes])
    size = (images.shape[0], *pixels[0].shape[1:])
    frames = np.empty(size, np.uint8)
    target = torch.from_numpy(frames)

    def copy() -> None:
        for i, part in zip(chunks, pixels, strict=True):
            target[i : i + _CHUNK].copy_(part)

    timed("· copy, new memory", copy)
    timed("· copy, same memory", copy)
    on_disk = frame_buffer(size, place) if frames.nbytes >= 400_000_000 else file_of(place, size)
    target = torch.from_numpy(on_disk)
    timed("· copy, new file", copy)
    if torch.cuda.is_available():
        target = timed("· pinning", lambda: torch.empty(size, dtype=torch.uint8, pin_memory=True))
        timed("· copy, pinned", copy)

    def before() -> None:
        for i, part in zip(chunks, planes, strict=True):
            frames[i : i + _CHUNK] = part.cpu().numpy()

    timed("(planes out, put together by numpy)", before)
    timed("(32-bit frames out)", images.cpu)


def file_of(place: Path, size: tuple[int, ...]) -> "np.memmap[Any, np.dtype[np.uint8]]":
    return np.memmap(place / "frames", np.uint8, "w+", shape=size)


def main() -> None:
    asked = options()
    full = not asked.dry_run
    if not full:
        asked.width, asked.height, asked.frames = 128, 128, 17
    with tempfile.TemporaryDirectory() as work:
        home = Path(work)
        place = ComfyPaths(
            asked.checkout.absolute(), home / "packs", home / "base", home / "models"
        )
        comfy = start(place, device_kind(), asked.vram, packs=False)
        if not full:
            comfy.torch.set_num_threads(1)  # tiny tensors: more threads only wait for each other
        device = "cuda" if device_kind() is DeviceKind.CUDA else "cpu"
        maker = RandomWeightsWriter(
            comfy.torch, FULL if full else TINY, "BF16" if full else "F32", device
        )
        video, audio = decoders(comfy, maker, maker.decoders())
        runs = [one_run(comfy, video, audio, asked) for _ in range(asked.runs)]
    name = comfy.torch.cuda.get_device_name() if device == "cuda" else device
    size = f"{asked.width}×{asked.height}×{asked.frames}"
    print(f"{name}, {size}, CLAPPER_VRAM={asked.vram}: seconds, first run to last")
    for step in runs[0]:
        print(f"{step:<38}" + "".join(f"{run[step]:9.3f}" for run in runs))
    if asked.out is not None:
        found = {"device": name, "size": size, "vram": asked.vram, "runs": runs}
        asked.out.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
