"""Decode video in fewer passes over memory: colours last, norms fused, the clip in one piece.

ComfyUI's decoder is bound by its passes over memory as much as by its convolutions: nine of them
around each, and copies from one layout to the other. This one computes the same network with the
same weights, rounds less often, and therefore gives other values.
"""

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import structlog

from core.comfy.acceleration.switch import Acceleration
from core.comfy.acceleration.weights import addresses

_log = structlog.get_logger(__name__)
_EPS = 1e-8  # of ComfyUI's PixelNorm
_LARGEST = 2**31  # values of one tensor: beyond, cuDNN is left for something slow
_ALIVE = 6  # tensors of the largest level that are there at once
Norm = Callable[..., None]


@dataclass(frozen=True, slots=True)
class _Conv:
    """A convolution of 3×3×3, its output channels in the order that suits what follows.

    Who reads its output adds ``bias``: torch would go over the memory once more for it.
    """

    weight: Any
    bias: Any


@dataclass(frozen=True, slots=True)
class _Rise:
    """A convolution whose channels become ``stride`` times as many pixels."""

    conv: _Conv
    stride: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Layers:
    """A decoder as a list: pairs of convolutions beside a shortcut, and rises."""

    addresses: tuple[int, ...]
    first: _Conv
    steps: list[tuple[_Conv, _Conv] | _Rise]
    last: _Conv
    patch: int


class FastDecoder:
    """Stands before ``Decoder.forward``; on the executor's thread alone."""

    def __init__(
        self,
        switch: Acceleration,
        torch: ModuleType,
        free: Callable[[Any], float],
        compiler: Callable[..., Norm] | None = None,
        device: str = "cuda",
    ) -> None:
        """Prepare nothing yet.

        Args:
            switch: asked at every call.
            torch: the imported module.
            free: says how many bytes of a device are free.
            compiler: ``torch.compile`` where it is left out.
            device: the type of device that it decodes on.
        """
        self._switch = switch
        self._torch = torch
        self._free = free
        compiled = compiler or torch.compile
        self._norm: Norm = compiled(self._norm_into, dynamic=True)
        self._shift_norm: Norm = compiled(self._shift_norm_into, dynamic=True)
        self._add_norm: Norm = compiled(self._add_norm_into, dynamic=True)
        self._device = device
        self._decoders: weakref.WeakKeyDictionary[Any, _Layers] = weakref.WeakKeyDictionary()
        self._works = True

    def install(self, decoder_class: Any) -> None:
        """Replace the forward of ``decoder_class``, ComfyUI's video ``Decoder``."""
        original: Callable[..., Any] = decoder_class.forward

        def forward(
            model: Any, sample: Any, timestep: Any = None, output_buffer: Any = None
        ) -> Any:
            layers = self._layers(model, sample, output_buffer)
            if layers is not None and self._decode(layers, sample, output_buffer):
                return output_buffer
            return original(model, sample, timestep=timestep, output_buffer=output_buffer)

        decoder_class.forward = forward

    def forget(self, model: Any = None) -> None:
        """Give the memory of the prepared weights of ``model`` back, or of all."""
        if model is None:
            self._decoders.clear()
        else:
            self._decoders.pop(model, None)

    def _layers(self, model: Any, sample: Any, target: Any) -> _Layers | None:
        """Return what to compute ``sample`` with; None where ComfyUI has to do it."""
        wanted = self._switch.enabled and self._switch.fast and self._works
        if not wanted or sample.device.type != self._device or target is None or len(sample) != 1:
            return None
        largest = target.numel() // target.shape[1] * model.conv_out.in_channels
        largest //= model.patch_size**2
        if largest >= _LARGEST:
            return None
        places = addresses(model, sample.device)
        if places is None:
            return None
        held = self._decoders.get(model)
        if held is None or held.addresses != places:
            self._decoders.pop(model, None)
            held = self._prepared(model, sample.dtype, places)
        if held is None or self._free(sample.device) < _ALIVE * largest * sample.element_size():
            return None
        self._decoders[model] = held
        return held

    def _prepared(self, model: Any, dtype: Any, places: tuple[int, ...]) -> _Layers | None:
        """Return the layers of ``model``; None where one of them is of another kind."""
        convs = [part.conv for part in model.modules() if type(part).__name__ == "CausalConv3d"]
        plain = all(_plain_conv(conv) and conv.weight.dtype == dtype for conv in convs)
        if model.causal or model.timestep_conditioning or not plain:
            return None
        if not _plain_norm(model.conv_norm_out):
            return None
        steps: list[tuple[_Conv, _Conv] | _Rise] = []
        for block in model.up_blocks:
            kind = type(block).__name__
            if kind == "UNetMidBlock3D" and all(map(_plain_pair, block.res_blocks)):
                steps += [
                    (self._conv(each.conv1), self._conv(each.conv2)) for each in block.res_blocks
                ]
            elif kind == "DepthToSpaceUpsample" and not block.residual:
                steps.append(_Rise(self._conv(block.conv, block.stride), tuple(block.stride)))
            else:
                return None
        first, last = self._conv(model.conv_in), self._conv(model.conv_out)
        return _Layers(places, first, steps, last, model.patch_size)

    def _conv(self, causal: Any, stride: tuple[int, ...] = (1, 1, 1)) -> _Conv:
        """Return the weights with input channels last, and pixels before output channels."""
        weight, bias = causal.conv.weight.detach(), causal.conv.bias.detach()
        pixels = stride[0] * stride[1] * stride[2]
        if pixels > 1:
            weight = weight.unflatten(0, (-1, pixels)).transpose(0, 1).flatten(0, 1)
            bias = bias.unflatten(0, (-1, pixels)).transpose(0, 1).flatten(0, 1)
        return _Conv(weight.contiguous(memory_format=self._torch.channels_last_3d), bias)

    def _decode(self, layers: _Layers, sample: Any, target: Any) -> bool:
        """Decode into ``target``; False where the compiler failed, for ever after too."""
        try:
            self._through(layers, sample, target)
        except self._torch.OutOfMemoryError:
            raise
        except (RuntimeError, OSError, ImportError):
            _log.warning("fast_decoder_failed", exc_info=True)
            self._works = False
        return self._works

    def _through(self, layers: _Layers, sample: Any, target: Any) -> None:
        x = sample[0].permute(1, 2, 3, 0).contiguous()  # [T, H, W, C]
        x = self._convolved(layers.first, self._padded(x)).add_(layers.first.bias)
        added, bias = None, None  # what belongs to x, but was not added yet
        for step in layers.steps:
            if isinstance(step, _Rise):
                if added is not None:
                    x = x.add_(added).add_(bias)
                x = self._risen(self._convolved(step.conv, self._padded(x)), step)
                added, bias = None, None
                continue
            made = self._convolved(step[0], self._normed(x, added, bias))
            added = self._convolved(step[1], self._normed(made, None, step[0].bias))
            bias = step[1].bias
        colours = self._convolved(layers.last, self._normed(x, added, bias))
        frames, height, width, _ = colours.shape
        side = layers.patch
        # [.., colour, across, down]
        pixels = colours.view(frames, height, width, -1, side, side).permute(3, 0, 1, 5, 2, 4)
        shifts = layers.last.bias.view(-1, 1, 1, side, 1, side).transpose(3, 5)
        goal = target[0].view(-1, frames, height, side, width, side)
        self._torch.add(pixels, shifts, out=goal)

    def _normed(self, x: Any, added: Any, bias: Any) -> Any:
        """Return the norm of the sum of what is given, activated and padded.

        Where there is something ``added``, ``x`` is the sum afterwards.
        """
        out = x.new_empty((x.shape[0] + 2, *x.shape[1:]))
        width = x.shape[-1]
        parts = [x.view(-1, width), out[1:-1].view(-1, width)]
        if added is not None:
            parts.insert(1, added.view(-1, width))
        for part in parts:
            self._torch._dynamo.mark_static(part, 1)  # noqa: SLF001  # its documented place
        if added is not None:
            self._add_norm(*parts, bias)
        elif bias is not None:
            self._shift_norm(*parts, bias)
        else:
            self._norm(*parts)
        return _ends(out)

    def _risen(self, x: Any, rise: _Rise) -> Any:
        """Turn channels ``(pixels, c)`` into pixels; of doubled frames the first is left out."""
        frames, height, width, _ = x.shape
        in_time, down, across = rise.stride
        order = (0, 3, 1, 4, 2, 5, 6)
        parts = x.view(frames, height, width, in_time, down, across, -1).permute(order)
        shifts = rise.conv.bias.view(1, 1, 1, in_time, down, across, -1).permute(order)
        made = x.new_empty(parts.shape)
        self._torch.add(parts, shifts, out=made)
        made = made.view(frames * in_time, height * down, width * across, -1)
        return made[1:] if in_time == 2 else made

    def _padded(self, x: Any) -> Any:
        """Return ``x`` with its first and last frame once more."""
        out = x.new_empty((x.shape[0] + 2, *x.shape[1:]))
        out[1:-1].copy_(x)
        return _ends(out)

    def _convolved(self, conv: _Conv, padded: Any) -> Any:
        given = padded.permute(3, 0, 1, 2).unsqueeze(0)
        made = self._torch.nn.functional.conv3d(given, conv.weight, padding=(0, 1, 1))
        return made[0].permute(1, 2, 3, 0).contiguous()  # as it is already, on CUDA

    def _norm_into(self, rows: Any, out: Any) -> None:
        out.copy_(self._activated(rows.float()))

    def _shift_norm_into(self, rows: Any, out: Any, bias: Any) -> None:
        out.copy_(self._activated(rows.float() + bias))

    def _add_norm_into(self, rows: Any, added: Any, out: Any, bias: Any) -> None:
        rows.copy_(rows.float() + added + bias)
        out.copy_(self._activated(rows.float()))

    def _activated(self, rows: Any) -> Any:
        scale = self._torch.rsqrt(rows.square().mean(1, keepdim=True) + _EPS)
        return self._torch.nn.functional.silu(rows * scale)


def _ends(padded: Any) -> Any:
    """Repeat the first and the last frame, as ComfyUI's convolutions do that look both ways."""
    padded[0].copy_(padded[1])
    padded[-1].copy_(padded[-2])
    return padded


def _plain_norm(norm: Any) -> bool:
    return type(norm).__name__ == "PixelNorm" and norm.dim == 1 and norm.eps == _EPS


def _plain_pair(block: Any) -> bool:
    """Tell whether a residual block is two norms, two convolutions and nothing else."""
    if block.inject_noise or block.timestep_conditioning or block.in_channels != block.out_channels:
        return False
    return _plain_norm(block.norm1) and _plain_norm(block.norm2)


def _plain_conv(conv: Any) -> bool:
    """Tell whether a convolution is 3×3×3 in zeros, and has a bias."""
    whole = conv.padding_mode == "zeros" and conv.groups == 1 and conv.bias is not None
    return whole and tuple(conv.kernel_size) == (3, 3, 3) and tuple(conv.stride) == (1, 1, 1)
