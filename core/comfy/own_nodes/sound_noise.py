"""A little noise on the sound that the model listens to; what people hear is another copy."""

from types import ModuleType
from typing import Any, ClassVar

SOUND_NOISE_CLASS = "ClapperSoundNoise"


def sound_noise_node(torch: ModuleType) -> type:
    """Make the node class that adds white noise to a sound.

    Args:
        torch: the imported module.
    """

    class ClapperSoundNoise:
        """Adds white noise, as loud as a share of the sound."""

        CATEGORY = "clapper"
        RETURN_TYPES: ClassVar[tuple[str, ...]] = ("AUDIO",)
        FUNCTION = "add"

        @classmethod
        def INPUT_TYPES(cls) -> dict[str, dict[str, Any]]:  # noqa: N802  # ComfyUI asks for this name
            level = {"default": 0.03, "min": 0.0, "max": 1.0, "step": 0.001}
            seed = {"default": 0, "min": 0, "max": 2**64 - 1}
            return {"required": {"audio": ("AUDIO",), "level": ("FLOAT", level),
                                 "seed": ("INT", seed)}}  # fmt: skip

        def add(self, audio: Any, level: float, seed: int) -> tuple[Any]:
            """Return a noisy copy; ``level`` is the noise's part of the sound's effective value."""
            sound = audio["waveform"]
            if not level or sound.numel() == 0:
                return (audio,)
            drawn = torch.Generator().manual_seed(seed % 2**63)
            noise = torch.randn(sound.shape, generator=drawn).to(sound)
            loudness = sound.square().mean(dim=(-2, -1), keepdim=True).sqrt()
            return ({**audio, "waveform": sound + noise * loudness * level},)

    return ClapperSoundNoise
