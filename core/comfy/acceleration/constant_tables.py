"""Keep small tables on the device between steps: each copy of one makes Python wait for it."""

from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from core.comfy.acceleration.switch import Acceleration

if TYPE_CHECKING:
    from collections.abc import Callable

_KEPT = 16  # tables; a clip needs eight


def keep_tables(lightricks: ModuleType, patchifier: ModuleType, switch: Acceleration) -> None:
    """Compute what depends on shapes alone once for a shape, not in every step.

    Args:
        lightricks: ComfyUI's module ``comfy.ldm.lightricks.model``.
        patchifier: its module ``comfy.ldm.lightricks.symmetric_patchifier``.
        switch: asked at every call.
    """
    _keep_frequencies(lightricks, switch)
    _keep_coordinates(patchifier, switch)
    _keep_pixels(lightricks, switch)


def look_at_masks_in_memory(model_class: Any, switch: Acceleration) -> None:
    """Copy a mask to main memory once a stage; ComfyUI asks the device about each frame and step.

    Python has to wait for a copy, and so for the step before: the device would wait in turn.

    Args:
        model_class: ComfyUI's ``LTXAVModel``.
        switch: asked at every call.
    """
    original: Callable[..., Any] = model_class._process_input  # noqa: SLF001  # the one seam
    last = _Mask()

    def process(self: Any, x: Any, keyframe_idxs: Any, denoise_mask: Any, **others: Any) -> Any:
        if switch.enabled and denoise_mask is not None:
            denoise_mask = last.in_memory(denoise_mask)
        return original(self, x, keyframe_idxs, denoise_mask, **others)

    model_class._process_input = process  # noqa: SLF001  # as above


def _keep_frequencies(lightricks: ModuleType, switch: Acceleration) -> None:
    original: Callable[..., Any] = lightricks.generate_freq_grid_np

    @lru_cache(maxsize=_KEPT)
    def kept(theta: float, count: int, dim: int, device: object) -> Any:
        return original(theta, count, dim).to(device)

    def grid(theta: float, count: int, dim: int, device: object = None) -> Any:
        if not switch.enabled or device is None:
            return original(theta, count, dim)
        return kept(theta, count, dim, device)

    vars(lightricks)["generate_freq_grid_np"] = grid


def _keep_coordinates(patchifier: ModuleType, switch: Acceleration) -> None:
    owner = patchifier.Patchifier
    original: Callable[..., Any] = owner.get_latent_coords

    @lru_cache(maxsize=_KEPT)
    def kept(size: object, self: object, *arguments: object) -> Any:
        del size
        return original(self, *arguments)

    def coordinates(self: Any, *arguments: object) -> Any:
        if not switch.enabled:
            return original(self, *arguments)
        return kept((self.patch_size, self.start_end), self, *arguments)

    owner.get_latent_coords = coordinates


@dataclass(slots=True)
class _Mask:
    """The last mask that was asked about; held, so that its memory is not another's."""

    source: Any = None
    how: tuple[Any, ...] = ()
    copy: Any = None

    def in_memory(self, mask: Any) -> Any:
        """Return ``mask`` in main memory; each step has another view of the same one."""
        version = 0 if mask.is_inference() else mask._version  # noqa: SLF001  # counts changes
        how = (mask.data_ptr(), mask.shape, mask.stride(), mask.dtype, mask.device, version)
        if self.source is None or self.how != how:
            self.copy = mask.cpu()
            self.source, self.how = mask, how
        return self.copy


@dataclass(slots=True)
class _Pixels:
    """The last coordinates that were asked about."""

    source: Any = None
    how: tuple[Any, ...] = ()
    result: Any = None


def _keep_pixels(lightricks: ModuleType, switch: Acceleration) -> None:
    original: Callable[..., Any] = lightricks.latent_to_pixel_coords
    last = _Pixels()

    def pixels(latent_coords: Any, scale_factors: Any, causal_fix: bool = False) -> Any:  # noqa: FBT001, FBT002  # ComfyUI's own parameters
        if not switch.enabled:
            return original(latent_coords, scale_factors, causal_fix)
        how = (tuple(scale_factors), causal_fix)
        if last.source is not latent_coords or last.how != how:
            last.result = original(latent_coords, scale_factors, causal_fix)
            last.source, last.how = latent_coords, how
        return last.result.clone()  # callers put the places of guides into it

    vars(lightricks)["latent_to_pixel_coords"] = pixels
