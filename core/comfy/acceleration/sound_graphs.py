"""Launch the decoder of sound as one CUDA graph: 5000 kernels, which Python launches too slowly."""

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import structlog

from core.comfy.acceleration.recording import Recorder, Recording
from core.comfy.acceleration.switch import Acceleration
from core.comfy.acceleration.weights import addresses

_log = structlog.get_logger(__name__)
_LENGTHS = 3  # of sound that are kept
_ROOM = 2 * 1024**3  # bytes that must be free beside a recording


@dataclass(frozen=True, slots=True)
class _SoundGraph:
    """One recording, the latent that it reads and the waveform that it leaves."""

    recording: Recording
    latent: Any
    waveform: Any


@dataclass(slots=True)
class _Lengths:
    """The recordings of one decoder; None where CUDA refused one."""

    addresses: tuple[int, ...]
    graphs: dict[Any, _SoundGraph | None] = field(default_factory=dict[Any, "_SoundGraph | None"])


class SoundGraphs:
    """Stands before ``AudioVAE.decode``; on the executor's thread alone."""

    def __init__(
        self,
        switch: Acceleration,
        torch: ModuleType,
        management: ModuleType,
        recorder: Recorder,
        device: str = "cuda",
    ) -> None:
        """Record nothing yet.

        Args:
            switch: asked at every call.
            torch: the imported module.
            management: ComfyUI's module ``comfy.model_management``.
            recorder: of the device.
            device: the type of device that it records for.
        """
        self._switch = switch
        self._torch = torch
        self._management = management
        self._recorder = recorder
        self._device = device
        self._models: weakref.WeakKeyDictionary[Any, _Lengths] = weakref.WeakKeyDictionary()

    def install(self, model_class: Any) -> None:
        """Replace ``decode`` of ``model_class``, ComfyUI's ``AudioVAE``."""
        eager: Callable[[Any, Any], Any] = model_class.decode

        def decode(model: Any, latents: Any) -> Any:
            return self.run(eager, model, latents)

        model_class.decode = decode

    def forget(self, model: Any = None) -> None:
        """Throw the recordings of ``model`` away, or all of them, with their memory."""
        if model is None:
            self._models.clear()
        else:
            self._models.pop(model, None)
        if not self._models:
            self._recorder.forget_memory()

    def run(self, eager: Callable[[Any, Any], Any], model: Any, latents: Any) -> Any:
        """Return the waveform of ``latents``, as ``eager`` makes it.

        The first of a length runs as ever and is recorded for those that follow.
        """
        device = latents.device
        if not self._switch.enabled or device.type != self._device:
            return eager(model, latents)
        places = addresses(model, device)
        if places is None or device.index not in (None, self._current()):
            return eager(model, latents)
        lengths = self._models.get(model)
        if lengths is None or lengths.addresses != places:
            lengths = self._models[model] = _Lengths(places)
        key = (tuple(latents.shape), tuple(latents.stride()), latents.dtype)
        graph = lengths.graphs.get(key)
        if graph is not None:
            graph.latent.copy_(latents)
            graph.recording.replay()
            return graph.waveform.clone()
        waveform = eager(model, latents)
        if key not in lengths.graphs and self._management.get_free_memory(device) > _ROOM:
            self._record(lengths, key, lambda latent: eager(model, latent), latents)
        return waveform

    def _current(self) -> int:
        return self._torch.cuda.current_device() if self._device == "cuda" else 0

    def _record(
        self, lengths: _Lengths, key: Any, decode: Callable[[Any], Any], latents: Any
    ) -> None:
        made: list[Any] = []

        def work() -> None:
            made[:] = [decode(latent)]

        try:
            latent = latents.clone()
            recording = self._recorder.record(work)
        except RuntimeError as error:  # also torch's OutOfMemoryError
            _log.warning("sound_graph_refused", reason=str(error)[:200])
            lengths.graphs[key] = None
            return
        lengths.graphs[key] = _SoundGraph(recording, latent, made[0])
        while len(lengths.graphs) > _LENGTHS:
            lengths.graphs.pop(next(iter(lengths.graphs)))
