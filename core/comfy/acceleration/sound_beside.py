"""Decode sound on a stream of its own, beside the video that is being decoded already.

Thousands of small kernels in a row leave most of the device to the large ones beside them. They
wait for what was launched before the video, and what follows waits for them: the same bytes.
"""

import weakref
from collections.abc import Callable, Mapping
from typing import Any

from core.comfy.acceleration.switch import Acceleration

_PICTURES = "images"  # an input of our output node
Graph = Mapping[str, Mapping[str, Any]]


def pictures_first(graph: Graph, outputs: list[str]) -> dict[str, dict[str, Any]]:
    """Return ``graph`` in an order that lets ComfyUI decode the video before the sound.

    Of nodes that an output waits for, ComfyUI begins with those of its last input. Sound that is
    launched first keeps Python, and so the video, from the device for 0.1 s.

    Args:
        graph: validated.
        outputs: the nodes to run.
    """
    made = {node: dict(entry) for node, entry in graph.items()}
    for node in outputs:
        inputs = dict(made[node]["inputs"])
        if _PICTURES in inputs:
            inputs[_PICTURES] = inputs.pop(_PICTURES)
        made[node]["inputs"] = inputs
    return made


class SoundBeside:
    """Stands before a node and a function of ComfyUI; on the executor's thread alone."""

    def __init__(self, switch: Acceleration, cuda: Any, stays: Callable[[], bool]) -> None:
        """Have no stream yet.

        Args:
            switch: asked at every call.
            cuda: the module ``torch.cuda``.
            stays: tells whether models and latents stay on the device.
        """
        self._switch = switch
        self._cuda = cuda
        self._stays = stays
        self._stream: Any = None
        self._latent: weakref.ref[Any] | None = None  # of the last sound that was taken apart
        self._there: Any = None  # the event after which it is there

    def install(self, separate: Any, vae_class: Any) -> None:
        """Replace ``LTXVSeparateAVLatent.execute`` and ``comfy.sd.VAE.decode``."""
        parts: Callable[..., Any] = separate.execute.__func__
        decode: Callable[..., Any] = vae_class.decode

        def execute(node: Any, av_latent: Any) -> Any:
            made = parts(node, av_latent)
            self._note(made.args[1]["samples"])
            return made

        def beside(vae: Any, samples_in: Any, *given: Any, **options: Any) -> Any:
            ready = self._ready(samples_in)
            if ready is None:
                return decode(vae, samples_in, *given, **options)
            with self._cuda.stream(self._stream):
                ready.wait(self._stream)
                made = decode(vae, samples_in, *given, **options)
            self._cuda.current_stream().wait_stream(self._stream)
            return made

        separate.execute = classmethod(execute)
        vae_class.decode = beside

    def _note(self, latent: Any) -> None:
        """Remember from when on ``latent`` is there."""
        self._latent = None
        if self._switch.enabled and latent.device.type == "cuda" and self._stays():
            self._there = self._cuda.Event()
            self._there.record()
            self._latent = weakref.ref(latent)

    def _ready(self, latent: Any) -> Any:
        """Return the event after which ``latent`` is there; None where that is not known."""
        if self._latent is None or self._latent() is not latent or not self._stays():
            return None
        if self._stream is None:
            self._stream = self._cuda.Stream(priority=-1)  # else it waits behind each large kernel
        return self._there
