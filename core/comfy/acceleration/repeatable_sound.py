"""Decode the same latent of sound to the same waveform every time."""

from types import ModuleType
from typing import TYPE_CHECKING, Any

from core.comfy.acceleration.switch import Acceleration

if TYPE_CHECKING:
    from collections.abc import Callable


def decode_sound_repeatably(model_class: Any, torch: ModuleType, switch: Acceleration) -> None:
    """Leave out the algorithms of cuDNN that add up in another order each time.

    They are slower as well: 123 ms of an H100 for five seconds of sound, against 77.

    Args:
        model_class: ComfyUI's ``AudioVAE``.
        torch: the imported module.
        switch: asked at every call.
    """
    original: Callable[[Any, Any], Any] = model_class.decode

    def decode(model: Any, latents: Any) -> Any:
        settings = torch.backends.cudnn
        before = settings.deterministic
        settings.deterministic = before or switch.enabled
        try:
            return original(model, latents)
        finally:
            settings.deterministic = before

    model_class.decode = decode
