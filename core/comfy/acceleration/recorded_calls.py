"""Launch a network's layers as one CUDA graph where they are called alone, beside no sampler.

The text encoder and the transformer's own text layers are thousands of small kernels: Python needs
three times as long to launch them as the device needs to compute them.
"""

import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import structlog

from core.comfy.acceleration.recording import Recorder, Recording
from core.comfy.acceleration.switch import Acceleration
from core.comfy.acceleration.tensor_tree import Form, UnknownKind, flatten, rebuild
from core.comfy.acceleration.weights import addresses

_log = structlog.get_logger(__name__)
_KEPT = 8  # recordings of a network: prompts differ by 16 tokens
_ROOM = 6 * 1024**3  # bytes that must be free beside a recording: blocks and decoder come after it
Work = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Call:
    """One recording, the tensors that it reads, and what it leaves."""

    recording: Recording
    given: list[Any]
    made: list[Any]
    form: Form  # of what it leaves


@dataclass(slots=True)
class _Recordings:
    """The recordings of one network, by form; None where CUDA refused one."""

    addresses: tuple[int, ...]
    calls: OrderedDict[Form, _Call | None] = field(
        default_factory=OrderedDict[Form, "_Call | None"]
    )


class RecordedCalls:
    """Records calls of networks; on the executor's thread alone."""

    def __init__(
        self,
        switch: Acceleration,
        torch: ModuleType,
        management: ModuleType,
        recorder: Recorder,
        device: str = "cuda",
        room: float = _ROOM,
    ) -> None:
        """Record nothing yet.

        Args:
            switch: asked at every call.
            torch: the imported module.
            management: ComfyUI's module ``comfy.model_management``.
            recorder: of the device.
            device: the type of device that it records for.
            room: bytes that must be free beside a recording.
        """
        self._switch = switch
        self._torch = torch
        self._management = management
        self._recorder = recorder
        self._device = device
        self._room = room
        self._networks: weakref.WeakKeyDictionary[Any, _Recordings] = weakref.WeakKeyDictionary()

    def forget(self, model: Any = None) -> None:
        """Throw the recordings of all networks that are ``model`` or a part of it away, or all."""
        if model is None:
            self._networks.clear()
            return
        for part in [part for part in self._networks if part in set(model.modules())]:
            del self._networks[part]

    def run(self, network: Any, given: Any, work: Work) -> Any:
        """Return what ``work`` makes of ``given``, as tensors of the caller's own.

        Args:
            network: whose weights ``work`` reads, and no others.
            given: tensors and plain values, nested; all that the result depends on.
            work: computes; its result is nested in the same way.
        """
        if not self._switch.enabled:
            return work(given)
        try:
            tensors, form = flatten(given, self._torch.Tensor)
        except UnknownKind:
            return work(given)
        device = tensors[0].device
        places = addresses(network, device) if device.type == self._device else None
        if places is None:
            return work(given)
        held = self._networks.get(network)
        if held is None or held.addresses != places:
            held = self._networks[network] = _Recordings(places)
        call = held.calls.get(form)
        if call is not None:
            held.calls.move_to_end(form)
            return self._replay(call, tensors)
        made = work(given)  # before it is recorded, so that CUDA has found and loaded its kernels
        if form not in held.calls and self._management.get_free_memory(device) >= self._room:
            self._record(held, form, tensors, made, work)
        return made

    def _replay(self, call: _Call, tensors: list[Any]) -> Any:
        for kept, given in zip(call.given, tensors, strict=True):
            kept.copy_(given)
        call.recording.replay()
        return rebuild(call.form, iter([tensor.clone() for tensor in call.made]))

    def _record(
        self, held: _Recordings, form: Form, tensors: list[Any], made: Any, work: Work
    ) -> None:
        """Record the call that has just made ``made``, which does not depend on it."""
        try:
            results, made_form = flatten(made, self._torch.Tensor)
            given = [tensor.clone() for tensor in tensors]
            left = [tensor.clone() for tensor in results]

            def again() -> None:
                parts, _ = flatten(work(rebuild(form, iter(given))), self._torch.Tensor)
                for kept, part in zip(left, parts, strict=True):
                    kept.copy_(part)

            recording = self._recorder.record(again)
        except (RuntimeError, UnknownKind) as error:
            full = isinstance(error, self._torch.OutOfMemoryError)
            _log.warning("call_refused", reason=str(error)[:200], memory=full)
            if not full:
                held.calls[form] = None
            return
        held.calls[form] = _Call(recording, given, left, made_form)
        while len(held.calls) > _KEPT:
            held.calls.popitem(last=False)
