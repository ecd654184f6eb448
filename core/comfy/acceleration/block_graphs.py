"""Launch the transformer's blocks as one CUDA graph instead of some 9000 kernels.

Python needs longer to launch a small clip's forward than the device needs to compute it. The same
kernels on the same values give the same bytes. ADR 42 says when a graph is used and thrown away.
"""

import time
import weakref
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import Any

import structlog

from core.comfy.acceleration.fast_blocks import FastBlocks
from core.comfy.acceleration.fused_pointwise import FusedPointwise
from core.comfy.acceleration.passes import FAST, BlockGraph, Pass, Shapes, in_place, like, refusal
from core.comfy.acceleration.recording import Recorder
from core.comfy.acceleration.switch import Acceleration, Forward
from core.comfy.acceleration.tensor_tree import Form, UnknownKind, flatten, kind_of, rebuild
from core.comfy.acceleration.weights import addresses
from core.comfy.own_nodes.guidance import STG_OPTION

_log = structlog.get_logger(__name__)
# kept per model: both stages of two sizes, where a guided first stage has four kinds of pass
SHAPES = 10
_ROOM = 4 * 1024**3  # bytes that must be free beside a recording: the decoder comes after it
_POLL_S = 0.002
_LAG_S = 0.005  # the last kernels of a pass that Python is too slow for take less
# what a block asks of these options, and which blocks are perturbed; see
# BasicAVTransformerBlock.forward and core.comfy.own_nodes.guidance
_FLAGS = ("run_vx", "run_ax", "a2v_cross_attn", "v2a_cross_attn", STG_OPTION)
Blocks = Callable[..., Any]


class BlockGraphs:
    """Stands before ``LTXAVModel._process_transformer_blocks``; on the executor's thread alone."""

    def __init__(
        self,
        switch: Acceleration,
        torch: ModuleType,
        management: ModuleType,
        recorder: Recorder,
        device: str = "cuda",
        room: float = _ROOM,
        fast: FastBlocks | None = None,
        fused: FusedPointwise | None = None,
    ) -> None:
        """Record nothing yet.

        Args:
            switch: asked at every pass.
            torch: the imported module.
            management: ComfyUI's module ``comfy.model_management``.
            recorder: of the device.
            device: the type of device that it records for.
            room: bytes that must be free beside a recording.
            fast: makes compiled copies of the blocks, where the switch asks for them.
            fused: computes in fewer kernels what is recorded, as long as the bytes are the same.
        """
        self._switch = switch
        self._torch = torch
        self._management = management
        self._recorder = recorder
        self._device = device
        self._room = room
        self._fast = fast
        self._fused = fused
        self._kinds: set[Form] = set()  # of passes whose fused bytes were compared
        self._models: weakref.WeakKeyDictionary[Any, Shapes] = weakref.WeakKeyDictionary()
        self._before: Callable[[], bool] | None = None  # whether the pass before is done

    def install(self, model_class: Any) -> None:
        """Replace the loop over the blocks of ``model_class``, ComfyUI's ``LTXAVModel``."""
        eager: Blocks = model_class._process_transformer_blocks  # noqa: SLF001  # the one seam

        def blocks(model: Any, x: Any, *given: Any, **named: Any) -> Any:
            return self.run(eager, model, x, *given, **named)

        model_class._process_transformer_blocks = blocks  # noqa: SLF001  # as above

    def forget(self, model: Any = None) -> None:
        """Throw the recordings of ``model`` away, or all of them, with their memory."""
        if model is None:
            self._models.clear()
        else:
            self._models.pop(model, None)
        if self._fast is not None:
            self._fast.forget(model)
        if not self._models:
            self._before = None
            self._recorder.forget_memory()

    def run(
        self,
        eager: Blocks,
        model: Any,
        x: list[Any],
        context: Any,
        attention_mask: Any,
        timestep: Any,
        pe: Any,
        transformer_options: Mapping[str, Any] | None = None,
        self_attention_mask: Any = None,
        **others: Any,
    ) -> list[Any]:
        """Return what the blocks make of ``x``, which they change in place, as ComfyUI's do.

        The parameters are those of ``_process_transformer_blocks``, whose original is ``eager``.
        """
        options = transformer_options or {}
        inputs = (x, context, attention_mask, timestep, pe, self_attention_mask)
        named = {"transformer_options": options, **others}

        def go(arguments: Any, network: Any = model) -> list[Any]:
            return eager(network, *arguments[:5], self_attention_mask=arguments[5], **named)

        found = self._look(model, inputs, options, go)
        if isinstance(found, Forward):
            self._switch.forwards[found] += 1
            return go(inputs)
        found = self._by_copies(found)
        graph = self._held(found)
        if graph is not None:
            self._replay(graph, found.tensors)
            way, made = Forward.REPLAYED, x
        else:  # before it is recorded, so that CUDA has found and loaded its kernels
            before = self._before_fusion(found)
            made = found.go(inputs)
            way = self._learn(found, before, made)
        self._switch.forwards[Forward.FAST if found.form[-1] == FAST else way] += 1
        return made

    def _look(
        self,
        model: Any,
        inputs: tuple[Any, ...],
        options: Mapping[str, Any],
        go: Callable[..., list[Any]],
    ) -> Pass | Forward:
        """Return the pass, or why it has to be eager."""
        device = inputs[0][0].device
        if not self._switch.enabled:
            return Forward.OFF
        if device.type != self._device:
            return Forward.DEVICE
        if "multigpu_thread_device" in options or device.index not in (None, self._current()):
            return Forward.SEVERAL_DEVICES
        refused = refusal(options, _FLAGS)
        if refused is not None:
            return refused
        places = addresses(model.transformer_blocks, device)
        if places is None:
            return Forward.PAGING
        try:
            tensors, form = flatten(inputs, self._torch.Tensor)
        except UnknownKind as kind:
            _log.warning("graph_input_unknown", kind=str(kind))
            return Forward.INPUT
        flags = tuple(options.get(name, True) for name in _FLAGS)
        passed = Pass(model, tensors, (*form, flags), places, go)
        return Forward.REFUSED if self._refused(passed) else passed

    def _current(self) -> int:
        return self._torch.cuda.current_device() if self._device == "cuda" else 0

    def _shapes(self, found: Pass) -> Shapes:
        """Return the recordings of the model, none of which reads a weight that has moved."""
        shapes = self._models.get(found.model)
        if shapes is None or shapes.addresses != found.addresses:
            self.forget(found.model)
            shapes = self._models[found.model] = Shapes(found.addresses)
        return shapes

    def _refused(self, found: Pass) -> bool:
        return self._shapes(found).graphs.get(found.form, found) is None

    def _held(self, found: Pass) -> BlockGraph | None:
        graphs = self._shapes(found).graphs
        graph = graphs.get(found.form)
        if graph is not None:
            graphs.move_to_end(found.form)
        return graph

    def _by_copies(self, found: Pass) -> Pass:
        """Return the same pass through the compiled copies of the blocks, where they are wanted."""
        usual = found.form[-1] == (True,) * len(_FLAGS)
        if self._fast is None or not self._switch.fast or not usual:
            return found
        form = found.form

        def on_clones(network: Any) -> None:
            changed = [like(self._torch, tensor).copy_(tensor) for tensor in found.tensors[:2]]
            # the others as they are: another layout would be another compilation
            found.go(rebuild(form[:-1], iter([*changed, *found.tensors[2:]])), network)

        copy = self._fast.model_for(found.model, found.addresses, form, on_clones)
        if copy is None:
            return found
        return replace(found, form=(*form, FAST), go=partial(found.go, network=copy))

    def _before_fusion(self, found: Pass) -> list[Any]:
        """Return video and sound as they are before the pass; none where nothing is fused."""
        if self._fused is None or found.form[-1] == FAST or not self._fused.takes(found.tensors[0]):
            return []
        return [tensor.clone() for tensor in found.tensors[:2]]

    def _learn(self, found: Pass, before: list[Any], made: list[Any]) -> Forward:
        """Record the pass just launched for the ones that follow, where they gain by it.

        A recording takes as long as the launches do. Where the device is still at work after the
        last of them, Python is the faster one, and only fewer kernels gain. Compiled copies are
        recorded anyway: an encoder beside them holds Python, and they leave it less time.
        """
        done = self._recorder.mark()
        if not before and found.form[-1] != FAST and not done():
            time.sleep(_LAG_S)
            if not done():
                return Forward.BUSY
        if self._management.get_free_memory(found.tensors[0].device) < self._room:
            return Forward.MEMORY
        way = self._record(found, before, made)
        if way is not Forward.REFUSED or not before:
            return way
        self._fused = None  # from now on torch's own kernels, on this machine
        return self._learn(found, [], made)

    def _record(self, found: Pass, before: list[Any], made: list[Any]) -> Forward:
        """Record the pass; whether CUDA can does not touch what was launched already."""
        began = time.perf_counter()
        graphs = self._shapes(found).graphs
        way = self._fused.used if before and self._fused is not None else nullcontext
        try:
            tensors = [like(self._torch, tensor) for tensor in found.tensors]

            def work() -> None:
                with way():
                    in_place(found, tensors)

            graph = BlockGraph(self._recorder.record(work), tensors)
        except RuntimeError as error:  # also torch's OutOfMemoryError
            full = isinstance(error, self._torch.OutOfMemoryError)
            _log.warning("graph_refused", reason=str(error)[:200], memory=full, fused=bool(before))
            if not full and not before:
                graphs[found.form] = None
            return Forward.MEMORY if full else Forward.REFUSED
        if before and not self._proven(graph, found, before, made):
            _log.warning("fused_bytes_differ", tokens=int(tensors[0].shape[1]))
            return Forward.REFUSED
        graphs[found.form] = graph
        while len(graphs) > SHAPES:
            graphs.popitem(last=False)
        took = round((time.perf_counter() - began) * 1000)
        tokens = int(tensors[0].shape[1])
        _log.info("graph_recorded", tokens=tokens, ms=took, fused=bool(before))
        return Forward.RECORDED

    def _proven(self, graph: BlockGraph, found: Pass, before: list[Any], made: list[Any]) -> bool:
        """Tell whether ``graph`` gives the bytes of the pass just launched: once for each kind."""
        kind = kind_of(found.form)
        if kind in self._kinds:
            return True
        try:
            graph.launch([*before, *found.tensors[2:]])
            self._wait_for(self._recorder.mark())
            if all(map(self._torch.equal, graph.tensors[:2], made)):
                self._kinds.add(kind)
        finally:
            if kind not in self._kinds:  # the graph goes, and with it what it has of the pool
                self._recorder.forget_memory()
        return kind in self._kinds

    def _replay(self, graph: BlockGraph, tensors: list[Any]) -> None:
        """Launch ``graph`` with the values of ``tensors``, and wait for the pass before it.

        Without waiting, all steps would be launched at once: progress would be at its end at the
        beginning, and a cancel would come too late. The device has this pass to do meanwhile.
        """
        self._management.throw_exception_if_processing_interrupted()
        graph.launch(tensors)
        for given, kept in zip(tensors[:2], graph.tensors[:2], strict=True):
            given.copy_(kept)  # video and sound, changed in place
        before, self._before = self._before, self._recorder.mark()
        if before is not None:
            self._wait_for(before)

    def _wait_for(self, done: Callable[[], bool]) -> None:
        """Wait for the device, and look for a cancel meanwhile."""
        while not done():
            self._management.throw_exception_if_processing_interrupted()
            time.sleep(_POLL_S)
