"""Let somebody look at what ComfyUI's samplers have after each step."""

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, Protocol

import structlog

from core.comfy.previews.device_latents import DeviceLatents

_log = structlog.get_logger(__name__)
_VIDEO = 5  # dimensions: batch, channels, frames, height, width


class SamplerListener(Protocol):
    """Looks at latents; on the executor's thread, so it must be quick."""

    def stepped(self, latents: DeviceLatents) -> None:
        """Take in what the picture would be, as expected after a step."""
        ...

    def sampled(self, latents: DeviceLatents) -> None:
        """Take in what the picture is when its sampler is done."""
        ...


class SamplerTap:
    """Stands before ``CFGGuider.outer_sample``, through which every sampler goes."""

    def __init__(self, torch: ModuleType) -> None:
        self._torch = torch
        self.listener: SamplerListener | None = None  # of the run; None: nobody looks

    def install(self, guider_class: Any) -> None:
        """Replace the method of ComfyUI's ``comfy.samplers.CFGGuider``."""
        sample: Callable[..., Any] = guider_class.outer_sample

        def outer_sample(
            guider: Any,
            noise: Any,
            latent_image: Any,
            sampler: Any,
            sigmas: Any,
            denoise_mask: Any = None,
            callback: Any = None,
            *given: Any,
            latent_shapes: Sequence[Sequence[int]] | None = None,
            **options: Any,
        ) -> Any:
            shapes = [tuple(latent_image.shape)] if latent_shapes is None else latent_shapes
            looks = self._looks(tuple(shapes[0]))

            def stepped(step: int, x0: Any, x: Any, steps: int) -> None:
                if callback is not None:
                    callback(step, x0, x, steps)
                if looks is not None:
                    # of the running sampler; it is there from its beginning on
                    scale = guider.inner_model.process_latent_out
                    self._tell(looks.stepped, guider, x0, shapes[0], scale)

            made = sample(
                *(guider, noise, latent_image, sampler, sigmas, denoise_mask),
                callback if looks is None else stepped,
                *given,
                latent_shapes=latent_shapes,
                **options,
            )
            if looks is not None:
                self._tell(looks.sampled, guider, made, shapes[0], lambda tensor: tensor)
            return made

        guider_class.outer_sample = outer_sample

    def _looks(self, shape: tuple[int, ...]) -> SamplerListener | None:
        return self.listener if len(shape) == _VIDEO else None

    def _tell(
        self,
        told: Callable[[DeviceLatents], None],
        guider: Any,
        tensor: Any,
        shape: Sequence[int],
        to_decoder: Callable[[Any], Any],
    ) -> None:
        """Tell the listener; what breaks there is no reason to lose a clip."""
        kind = guider.model_patcher.model.latent_format
        strides = int(kind.temporal_downscale_ratio), int(kind.spacial_downscale_ratio)
        latents = DeviceLatents(self._torch, tensor, tuple(shape), strides, to_decoder)
        try:
            told(latents)
        except RuntimeError:  # also no memory left, and a shape that is not understood
            _log.warning("preview_failed", exc_info=True)
            self.listener = None
